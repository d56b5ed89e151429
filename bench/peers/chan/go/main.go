// SPDX-License-Identifier: Apache-2.0

// The channel benchmark in Go: what everyone writes, on goroutines and chan. GOMAXPROCS, set by the
// harness, is 1 or 2. Usage: chanbench ROW [REPETITIONS]; bench/README.md lists the rows.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const M = 1000000

var repetitions = 5

func rss() float64 {
	b, _ := os.ReadFile("/proc/self/statm")
	p, _ := strconv.ParseFloat(strings.Fields(string(b))[1], 64)
	return p * float64(os.Getpagesize())
}

func cpu() float64 {
	var r syscall.Rusage
	syscall.Getrusage(0, &r)
	return float64(r.Utime.Sec+r.Stime.Sec)*1e9 + float64(r.Utime.Usec+r.Stime.Usec)*1e3
}

// measure prints wall and CPU nanoseconds an operation, after a warm-up.
func measure(name string, ops int, f func()) {
	f()
	var walls, cpus []float64
	for i := 0; i < repetitions; i++ {
		runtime.GC() // the garbage of the repetition before is not this one's
		c, s := cpu(), time.Now()
		f()
		walls = append(walls, float64(time.Since(s).Nanoseconds())/float64(ops))
		cpus = append(cpus, (cpu()-c)/float64(ops))
	}
	sort.Float64s(walls)
	sort.Float64s(cpus)
	n := len(walls)
	fmt.Printf("%s %.1f %.1f %.1f cpu %.1f\n", name, walls[n/2], walls[0], walls[n-1], cpus[n/2])
}

func pingpong() {
	there, back := make(chan int), make(chan int)
	go func() {
		for v := range there {
			back <- v
		}
	}()
	for i := 0; i < M; i++ {
		there <- i
		<-back
	}
	close(there)
}

func prodcons(n, capacity int) func() {
	return func() {
		c, done := make(chan int, capacity), make(chan int)
		go func() {
			for i := 0; i < n; i++ {
				c <- i
			}
			close(c)
		}()
		go func() {
			s := 0
			for v := range c {
				s += v
			}
			done <- s
		}()
		if <-done != n*(n-1)/2 {
			panic("an item was lost")
		}
	}
}

func mpmc(n, capacity int) func() {
	return func() {
		c := make(chan int, capacity)
		var producers, consumers sync.WaitGroup
		producers.Add(8)
		consumers.Add(8)
		for k := 0; k < 8; k++ {
			go func() {
				for i := 0; i < n/8; i++ {
					c <- i
				}
				producers.Done()
			}()
			go func() {
				for range c {
				}
				consumers.Done()
			}()
		}
		producers.Wait()
		close(c)
		consumers.Wait()
	}
}

func produce(c chan int, n int) {
	for i := 0; i < n; i++ {
		c <- i
	}
}

func select2() {
	var c [2]chan int
	for k := range c {
		c[k] = make(chan int)
		go produce(c[k], M/2)
	}
	for i := 0; i < M; i++ {
		select {
		case <-c[0]:
		case <-c[1]:
		}
	}
}

func select16() {
	var c [16]chan int
	for k := range c {
		c[k] = make(chan int)
		go produce(c[k], M/16)
	}
	for i := 0; i < M; i++ {
		select {
		case <-c[0]:
		case <-c[1]:
		case <-c[2]:
		case <-c[3]:
		case <-c[4]:
		case <-c[5]:
		case <-c[6]:
		case <-c[7]:
		case <-c[8]:
		case <-c[9]:
		case <-c[10]:
		case <-c[11]:
		case <-c[12]:
		case <-c[13]:
		case <-c[14]:
		case <-c[15]:
		}
	}
}

// ring: 10,000 goroutines in a circle; the token says how many laps it has left.
func ring(name string) {
	const size, laps = 10000, 100
	first, done := make(chan int), make(chan int)
	in := first
	for i := 0; i < size; i++ {
		last := i == size-1
		out := first
		if !last {
			out = make(chan int)
		}
		go func(in, out chan int) {
			for v := range in {
				if last {
					if v--; v == 0 {
						done <- 1
						continue
					}
				}
				out <- v
			}
		}(in, out)
		in = out
	}
	measure(name, laps*size, func() { first <- laps; <-done })
}

func spawn() {
	var w sync.WaitGroup
	w.Add(M)
	for i := 0; i < M; i++ {
		go w.Done()
	}
	w.Wait()
}

// timers: deadlines spread over the second that begins 10 s after the start.
func timers() {
	r0, c0, t0 := rss(), cpu(), time.Now()
	var w sync.WaitGroup
	w.Add(M)
	base := t0.Add(10 * time.Second)
	for i := 0; i < M; i++ {
		go func(i int) {
			due := base.Add(time.Duration((i*7919)%M) * time.Microsecond)
			time.Sleep(time.Until(due))
			w.Done()
		}(i)
	}
	for i := 0; i < 100; i++ {
		runtime.Gosched()
	}
	parked := time.Since(t0)
	r1 := rss()
	w.Wait()
	ms := func(d time.Duration) float64 { return d.Seconds() * 1e3 }
	fmt.Printf("timers bytes %.0f cpu_ns %.0f sched_ms %.0f first_due_ms 10000 overrun_ms %.1f\n",
		(r1-r0)/M, (cpu()-c0)/M, ms(parked), ms(time.Since(t0)-11*time.Second))
}

// parked: a million goroutines in a receive, on one channel or on a channel each.
func parked(name string, own bool) {
	r0, c0 := rss(), cpu()
	var w, started sync.WaitGroup
	w.Add(M)
	started.Add(M)
	all := make([]chan int, M) // its 8 bytes a task are not counted
	shared := make(chan int)
	for i := range all {
		all[i] = shared
		if own {
			all[i] = make(chan int)
		}
		go func(c chan int) {
			started.Done()
			<-c
			w.Done()
		}(all[i])
	}
	started.Wait()
	time.Sleep(50 * time.Millisecond)
	r1 := rss()
	for _, c := range all {
		c <- 1
	}
	w.Wait()
	fmt.Printf("%s bytes %.0f cpu_ns %.0f\n", name, (r1-r0-8*M)/M, (cpu()-c0)/M)
}

func main() {
	row := os.Args[1]
	if len(os.Args) > 2 {
		repetitions, _ = strconv.Atoi(os.Args[2])
	}
	switch row {
	case "pingpong":
		measure(row, M, pingpong)
	case "prodcons":
		measure(row, M, prodcons(M, 0))
	case "buffered":
		measure(row, 5*M, prodcons(5*M, 1024))
	case "mpmc0":
		measure(row, M, mpmc(M, 0))
	case "mpmc64":
		measure(row, M, mpmc(M, 64))
	case "select2":
		measure(row, M, select2)
	case "select16":
		measure(row, M, select16)
	case "ring":
		ring(row)
	case "spawn":
		measure(row, M, spawn)
	case "timers":
		timers()
	case "parked1":
		parked(row, false)
	case "parkedn":
		parked(row, true)
	default:
		fmt.Fprintln(os.Stderr, "chanbench: no row", row)
		os.Exit(2)
	}
}
