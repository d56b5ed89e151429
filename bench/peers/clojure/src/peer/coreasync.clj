;; SPDX-License-Identifier: Apache-2.0
(ns peer.coreasync
  "The final design: a report is a state map; P go processes take a state from states-ch, perform the step its
  :state names in a thread, and put the next state back (or on completed-ch). An exception is assoc'ed as :error
  and the state goes back on states-ch after a timeout."
  (:require [clojure.core.async :as a :refer [<! >! <!! chan go go-loop thread timeout]] [peer.report :as r])
  (:gen-class))

(defmulti step :state)
(defmethod step :downloadable [{:keys [job] :as s}]
  (assoc s :state :uploadable :gz (r/transform (r/download job) (:day job))))
(defmethod step :uploadable [{:keys [job gz] :as s}]
  (r/upload job gz)
  (-> s (dissoc :gz) (assoc :state :completed)))

(defn process [states-ch completed-ch retries]
  (go-loop []
    (when-some [s (<! states-ch)]
      (let [{:keys [error state attempts] :as s'} (<! (thread (try (step s) (catch Exception e (assoc s :error e)))))]
        (cond
          error (do (swap! retries inc)
                    (go (<! (timeout (r/delay-ms attempts error)))
                        (>! states-ch (-> s' (dissoc :error) (update :attempts inc)))))
          (= :completed state) (>! completed-ch s')
          :else (>! states-ch (assoc s' :attempts 0))))
      (recur))))

(defn -main [n p]
  (let [n (Long/parseLong n) p (Long/parseLong p) t0 (System/nanoTime) c0 (r/cpu) retries (atom 0)
        states-ch (chan n) completed-ch (chan 100)]     ; buffered to n: the processes also put on it, and must not block each other
    (dotimes [_ p] (process states-ch completed-ch retries))
    (a/onto-chan! states-ch (map (fn [j] {:job j :state :downloadable :attempts 0}) (r/jobs n)) false)
    (dotimes [_ n] (<!! completed-ch))
    (r/finish n @retries t0 c0)))
