;; SPDX-License-Identifier: Apache-2.0
(ns peer.report
  "Shared by the serial and the core.async peer: rates, jobs, HTTP, transform."
  (:require [clojure.data.csv :as csv] [clojure.string :as str])
  (:import (java.io ByteArrayOutputStream OutputStreamWriter BufferedWriter)
           (java.lang.management ManagementFactory)
           (java.net URI)
           (java.net.http HttpClient HttpClient$Version HttpRequest HttpRequest$BodyPublishers HttpResponse HttpResponse$BodyHandlers)
           (java.time LocalDate)
           (java.util.zip GZIPOutputStream)))
(set! *warn-on-reflection* true)

(defn env [k d] (or (System/getenv k) d))
(def reports-url (env "REPORTS" "http://127.0.0.1:18080/reports"))
(def bucket-url (env "BUCKET" "http://127.0.0.1:18081/bucket"))
(defn load-rates []
  (reduce (fn [m [day cur usd]] (assoc-in m [day cur] (Double/parseDouble usd))) {}
          (rest (csv/read-csv (slurp (env "RATES" "../upstream/rates.csv"))))))
(def rates (delay (load-rates)))
(defn jobs [n]
  (for [i (range n)] {:client (format "c%05d" (quot i 30)) :day (str (.plusDays (LocalDate/of 2025 1 1) (rem i 30)))}))

(def http (delay (-> (HttpClient/newBuilder) (.version HttpClient$Version/HTTP_1_1) .build)))
(defn- check [^HttpResponse r]
  (when-not (<= 200 (.statusCode r) 299)
    (throw (ex-info "status" {:status (.statusCode r)
                              :after (* 1000 (Long/parseLong (.orElse (.firstValue (.headers r) "retry-after") "0")))})))
  r)
(defn download ^String [{:keys [client day]}]
  (let [req (-> (HttpRequest/newBuilder (URI/create (str reports-url "/" client "/" day ".csv"))) .GET .build)]
    (.body ^HttpResponse (check (.send ^HttpClient @http req (HttpResponse$BodyHandlers/ofString))))))
(defn upload [{:keys [client day]} ^bytes gz]
  (let [req (-> (HttpRequest/newBuilder (URI/create (str bucket-url "/" client "/" day ".csv.gz")))
                (.PUT (HttpRequest$BodyPublishers/ofByteArray gz)) .build)]
    (check (.send ^HttpClient @http req (HttpResponse$BodyHandlers/discarding)))))

(defn- fixed [^long places ^double x]
  (.toPlainString (.setScale (BigDecimal/valueOf x) places java.math.RoundingMode/HALF_EVEN)))
;; data.csv 1.0.0 builds a set for every cell in its default :quote? (2.7 ms a report); this predicate makes it 4x cheaper
(defn- quote? [^String s] (or (>= (.indexOf s (int \,)) 0) (>= (.indexOf s (int \")) 0) (>= (.indexOf s (int \newline)) 0) (>= (.indexOf s (int \return)) 0)))
(defn transform ^bytes [^String text day]
  (let [[head & rows] (csv/read-csv text)
        idx (zipmap head (range))
        cost (idx "cost_micros") cur (idx "currency") dist (idx "distance_miles")
        rate (get @rates day)
        out (ByteArrayOutputStream.)]
    (with-open [w (BufferedWriter. (OutputStreamWriter. (GZIPOutputStream. out) "UTF-8"))]
      (csv/write-csv w (cons (assoc head cost "cost_usd" dist "distance_km")
                             (map (fn [r]
                                    (assoc r
                                           cost (fixed 6 (* (/ (Long/parseLong (nth r cost)) 1e6) (double (get rate (nth r cur)))))
                                           dist (fixed 3 (* (Double/parseDouble (nth r dist)) 1.609344))))
                                  rows))
                     :quote? quote?))
    (.toByteArray out)))

(defn cpu ^double [] (/ (.getProcessCpuTime ^com.sun.management.OperatingSystemMXBean (ManagementFactory/getOperatingSystemMXBean)) 1e9))
(defn delay-ms [attempts e] (let [a (:after (ex-data e) 0)] (if (pos? a) a (min 2000 (* 100 (bit-shift-left 1 (min 10 attempts)))))))
(defn finish [completed retries t0 c0]
  (println (format "{\"completed\":%d,\"retries\":%d,\"job_wall\":%.3f,\"job_cpu\":%.3f}"
                   completed retries (/ (- (System/nanoTime) (long t0)) 1e9) (- (cpu) (double c0))))
  (flush) (System/exit 0))
