// SPDX-License-Identifier: Apache-2.0
//
// Go peer: C worker goroutines over a jobs channel; each report is downloaded, transformed, gzipped, uploaded.
// usage: peer N CONCURRENCY
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type job struct{ client, day string }

var (
	rates   = map[string]map[string]float64{} // day -> currency -> usd
	retries int64
	client  *http.Client
)

func env(k, d string) string {
	if v := os.Getenv(k); v != "" {
		return v
	}
	return d
}

func loadRates(path string) {
	f, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		panic(err)
	}
	for _, r := range rows[1:] {
		if rates[r[0]] == nil {
			rates[r[0]] = map[string]float64{}
		}
		rates[r[0]][r[1]], _ = strconv.ParseFloat(r[2], 64)
	}
}

type retryAfter struct {
	status int
	after  time.Duration
}

func (e *retryAfter) Error() string { return fmt.Sprintf("status %d", e.status) }

func do(ctx context.Context, method, url string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		s, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return nil, &retryAfter{resp.StatusCode, time.Duration(s) * time.Second}
	}
	return b, nil
}

func withRetry(f func() error) {
	for d := 100 * time.Millisecond; ; d = min(2*d, 2*time.Second) {
		err := f()
		if err == nil {
			return
		}
		atomic.AddInt64(&retries, 1)
		w := d
		if e, ok := err.(*retryAfter); ok && e.after > 0 {
			w = e.after
		}
		time.Sleep(w)
	}
}

func min(a, b time.Duration) time.Duration {
	if a < b {
		return a
	}
	return b
}

var gz = sync.Pool{New: func() interface{} { return gzip.NewWriter(io.Discard) }}

func transform(in []byte, rate map[string]float64) ([]byte, error) {
	r := csv.NewReader(bytes.NewReader(in))
	r.ReuseRecord = true
	head, err := r.Read()
	if err != nil {
		return nil, err
	}
	cost, cur, dist := -1, -1, -1
	for i, h := range head {
		switch h {
		case "cost_micros":
			cost, head[i] = i, "cost_usd"
		case "currency":
			cur = i
		case "distance_miles":
			dist, head[i] = i, "distance_km"
		}
	}
	var out bytes.Buffer
	z := gz.Get().(*gzip.Writer)
	defer gz.Put(z)
	z.Reset(&out)
	w := csv.NewWriter(z)
	w.Write(head)
	for {
		rec, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		micros, err := strconv.ParseInt(rec[cost], 10, 64)
		if err != nil {
			return nil, err
		}
		miles, err := strconv.ParseFloat(rec[dist], 64)
		if err != nil {
			return nil, err
		}
		u, ok := rate[rec[cur]]
		if !ok {
			return nil, fmt.Errorf("no rate for %q", rec[cur])
		}
		rec[cost] = strconv.FormatFloat(float64(micros)/1e6*u, 'f', 6, 64)
		rec[dist] = strconv.FormatFloat(miles*1.609344, 'f', 3, 64)
		w.Write(rec)
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func cpu() float64 {
	var r syscall.Rusage
	syscall.Getrusage(0, &r)
	return float64(r.Utime.Sec+r.Stime.Sec) + float64(r.Utime.Usec+r.Stime.Usec)/1e6
}

func main() {
	n, _ := strconv.Atoi(os.Args[1])
	c, _ := strconv.Atoi(os.Args[2])
	reports, bucket := env("REPORTS", "http://127.0.0.1:18080/reports"), env("BUCKET", "http://127.0.0.1:18081/bucket")
	loadRates(env("RATES", "../upstream/rates.csv"))
	client = &http.Client{Transport: &http.Transport{MaxIdleConns: 0, MaxIdleConnsPerHost: c, DisableCompression: true}}
	t0, c0 := time.Now(), cpu()
	jobs, done := make(chan job), make(chan job, c)
	for i := 0; i < c; i++ {
		go func() {
			for j := range jobs {
				var out []byte
				withRetry(func() error {
					in, err := do(context.Background(), "GET", reports+"/"+j.client+"/"+j.day+".csv", nil)
					if err != nil {
						return err
					}
					out, err = transform(in, rates[j.day])
					return err
				})
				withRetry(func() error {
					_, err := do(context.Background(), "PUT", bucket+"/"+j.client+"/"+j.day+".csv.gz", out)
					return err
				})
				done <- j
			}
		}()
	}
	go func() {
		base := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
		for i := 0; i < n; i++ {
			jobs <- job{fmt.Sprintf("c%05d", i/30), base.AddDate(0, 0, i%30).Format("2006-01-02")}
		}
		close(jobs)
	}()
	completed := 0
	for completed < n {
		<-done
		completed++
	}
	fmt.Printf("{\"completed\":%d,\"retries\":%d,\"job_wall\":%.3f,\"job_cpu\":%.3f}\n", completed, retries, time.Since(t0).Seconds(), cpu()-c0)
}
