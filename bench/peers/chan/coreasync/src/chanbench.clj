; SPDX-License-Identifier: Apache-2.0
; The channel benchmark on core.async: go blocks and channels, its pool of 1 or 2 threads (run.sh).
; Usage: run.sh THREADS ROW [REPETITIONS]; bench/README.md lists the rows.
;
; Three warm-ups instead of one, because of the JIT. Timeouts due within 10 ms of each other share
; a channel, and a channel takes at most 1,024 pending takes: so the deadlines of a million timers are
; spread over 20 s instead of 1 s, and begin later because setting them takes longer. For the same
; reason there is no row of a million tasks on one channel.
(ns chanbench
  (:require [clojure.core.async :refer [<! >! <!! >!! chan go go-loop timeout alts! close!]]
            [clojure.string :as str])
  (:import (com.sun.management OperatingSystemMXBean)
           (java.lang.management ManagementFactory)
           (java.nio.file Files Paths)
           (java.util.concurrent CountDownLatch))
  (:gen-class))
(set! *warn-on-reflection* true)

(def M 1000000)

(defn rss []
  (let [path (Paths/get "/proc/self/statm" (make-array String 0))]
    (* 4096.0 (Long/parseLong (second (str/split (String. (Files/readAllBytes path)) #" "))))))
(defn cpu []
  (double (.getProcessCpuTime
           ^OperatingSystemMXBean (ManagementFactory/getOperatingSystemMXBean))))

(defn timed [ops f]
  (System/gc)
  (let [c (cpu), s (System/nanoTime)]
    (f)
    [(/ (- (System/nanoTime) s) (double ops)) (/ (- (cpu) c) (double ops))]))
(defn measure
  "Prints wall and CPU nanoseconds an operation, after the warm-ups."
  [row repetitions ops f]
  (dotimes [_ 3] (f))
  (let [runs (doall (repeatedly repetitions #(timed ops f)))
        walls (vec (sort (map first runs)))
        cpus (vec (sort (map second runs)))
        middle (quot repetitions 2)]
    (println (format "%s %.1f %.1f %.1f cpu %.1f"
                     row (walls middle) (first walls) (peek walls) (cpus middle)))))

(defn channel [capacity] (if (zero? capacity) (chan) (chan capacity)))

(defn pingpong []
  (let [there (chan), back (chan)]
    (go-loop [] (when-some [v (<! there)] (>! back v) (recur)))
    (<!! (go (dotimes [i M] (>! there i) (<! back)) (close! there)))))

(defn prodcons [n capacity]
  (let [c (channel capacity)]
    (go (dotimes [i n] (>! c i)) (close! c))
    (let [sum (<!! (go-loop [s 0] (if-some [v (<! c)] (recur (+ s (long v))) s)))]
      (assert (= sum (quot (* n (dec n)) 2)) "an item was lost"))))

(defn mpmc [n capacity]
  (let [c (channel capacity)
        producers (doall (for [_ (range 8)] (go (dotimes [i (quot n 8)] (>! c i)))))
        consumers (doall (for [_ (range 8)]
                           (go-loop [k 0] (if (some? (<! c)) (recur (inc k)) k))))]
    (doseq [p producers] (<!! p))
    (close! c)
    (assert (= n (reduce + (map <!! consumers))) "an item was lost")))

(defn select [n k]
  (let [cs (vec (repeatedly k chan))]
    (doseq [c cs] (go (dotimes [i (quot n k)] (>! c i))))
    (<!! (go-loop [i 0] (when (< i n) (alts! cs) (recur (inc i)))))))

(defn ring
  "10,000 go blocks in a circle; the token says how many laps it has left."
  [laps size]
  (let [chs (vec (repeatedly size chan)), done (chan)]
    (dotimes [i size]
      (let [in (chs i), out (chs (rem (inc i) size)), last? (= i (dec size))]
        (go-loop []
          (when-some [v (<! in)]
            (if last?
              (if (= 1 v) (>! done :ok) (>! out (dec v)))
              (>! out v))
            (recur)))))
    (fn [] (>!! (chs 0) laps) (<!! done))))

(defn spawn []
  (let [l (CountDownLatch. M)]
    (dotimes [_ M] (go (.countDown l)))
    (.await l)))

(defn ms-since [t0] (/ (- (System/nanoTime) (long t0)) 1e6))

(defn timers [first-due-ms spread-ms]
  (<!! (go (<! (timeout 20))))
  (System/gc)
  (let [r0 (rss), c0 (cpu), t0 (System/nanoTime), l (CountDownLatch. M)]
    (dotimes [i M]
      (let [due (+ first-due-ms (quot (* (rem (* i 7919) M) spread-ms) M))
            ms (- due (quot (- (System/nanoTime) t0) 1000000))]
        (go (<! (timeout ms)) (.countDown l))))
    (Thread/sleep 300)
    (let [parked (ms-since t0), r1 (rss)]
      (.await l)
      (println (format (str "timers bytes %.0f cpu_ns %.0f sched_ms %.0f first_due_ms %d"
                            " overrun_ms %.1f")
                       (/ (- r1 r0) M) (/ (- (cpu) c0) M) parked first-due-ms
                       (- (ms-since t0) (+ first-due-ms spread-ms)))))))

(defn parked []
  (<!! (go 1))
  (System/gc)
  (let [r0 (rss), c0 (cpu), l (CountDownLatch. M)
        all (object-array M)] ; its 4 bytes a task are not counted
    (dotimes [i M]
      (let [c (chan)]
        (aset all i c)
        (go (<! c) (.countDown l))))
    (Thread/sleep 1000)
    (System/gc)
    (Thread/sleep 200)
    (let [r1 (rss)]
      (dotimes [i M] (>!! (aget all i) 1))
      (.await l)
      (println (format "parkedn bytes %.0f cpu_ns %.0f"
                       (- (/ (- r1 r0) M) 4) (/ (- (cpu) c0) M))))))

(defn -main [row & [n]]
  (let [repetitions (Long/parseLong (or n "5"))
        measure (partial measure row repetitions)]
    (case row
      "pingpong" (measure M pingpong)
      "prodcons" (measure M #(prodcons M 0))
      "buffered" (measure M #(prodcons M 1024))
      "mpmc0" (measure M #(mpmc M 0))
      "mpmc64" (measure M #(mpmc M 64))
      "select2" (measure M #(select M 2))
      "select16" (measure M #(select M 16))
      "ring" (measure (* 20 10000) (ring 20 10000))
      "spawn" (measure M spawn)
      "timers" (timers 30000 20000)
      "parkedn" (parked)
      (do (binding [*out* *err*] (println "chanbench: no row" row)) (System/exit 2))))
  (System/exit 0))
