// SPDX-License-Identifier: Apache-2.0
#pragma once
// pub<T, Topic>: values by topic to those who subscribed to it.
//
//   const pub news{articles, [](const article& a) { return a.section; }};
//   news.sub("sport", reader);
//
// A topic is a mult of its own: each subscriber must accept a value before the topic's next.
// Without a buffer for the topic, a slow one also holds up the other topics. A value of a topic
// that nobody subscribed to is dropped.

#include <concepts>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "wherry/csp/mult.hpp"

namespace wherry {

/// For a pub: a buffer for each topic, and who owns its processes.
template <class Topic>
struct pub_options {
  /// The buffer of a topic; by default none has one.
  std::function<any_buffer(const Topic&)> buffer{};
  /// Owns the processes. Default: the scheduler.
  scope* in = nullptr;
};

namespace detail {

template <class T>
struct one_topic {
  channel<T> values;
  std::shared_ptr<tap_set<T>> taps = std::make_shared<tap_set<T>>();
  bool started = false;  // used by the pub's process only
};

/// The topics that somebody subscribed to. Threads: any.
template <class T, class Topic>
class topic_set {
 public:
  using entry = std::shared_ptr<one_topic<T>>;
  explicit topic_set(std::function<any_buffer(const Topic&)> buffer) : buffer_(std::move(buffer)) {}

  void add(const Topic& topic, const put_channel<T>& to, bool closes) {
    std::unique_lock guard(mutex_);
    if (ended_) {
      guard.unlock();
      if (closes) to.close();
      return;
    }
    auto& found = all_[topic];
    if (!found) {
      found = std::make_shared<one_topic<T>>(channel<T>(buffer_ ? buffer_(topic) : any_buffer{}));
    }
    found->taps->add(to, closes);
  }
  void remove(const Topic& topic, const put_channel<T>& to) {
    const std::lock_guard guard(mutex_);
    const auto found = all_.find(topic);
    if (found != all_.end() && found->second->taps->remove(to) == 0) erase(found);
  }
  void remove_all(const Topic& topic) {
    const std::lock_guard guard(mutex_);
    if (const auto found = all_.find(topic); found != all_.end()) erase(found);
  }
  void remove_all() {
    const std::lock_guard guard(mutex_);
    while (!all_.empty()) erase(all_.begin());
  }
  [[nodiscard]] entry find(const Topic& topic) const {
    const std::lock_guard guard(mutex_);
    const auto found = all_.find(topic);
    return found == all_.end() ? nullptr : found->second;
  }
  void end() {
    const std::lock_guard guard(mutex_);
    ended_ = true;
    for (const auto& [topic, found] : all_) {
      found->values.close();
      if (!found->started) found->taps->end();  // else: the topic's process, after the last value
    }
    all_.clear();
  }

 private:
  void erase(typename std::map<Topic, entry>::iterator found) {
    found->second->taps->remove_all();
    found->second->values.close();
    all_.erase(found);
  }

  mutable std::mutex mutex_;
  bool ended_ = false;
  std::function<any_buffer(const Topic&)> buffer_;
  std::map<Topic, entry> all_;
};

/// Ends the topics when the process does, however that is.
template <class T, class Topic>
class topics_end {
 public:
  explicit topics_end(std::shared_ptr<topic_set<T, Topic>> topics) : topics_(std::move(topics)) {}
  topics_end(const topics_end&) = delete;
  topics_end& operator=(const topics_end&) = delete;
  ~topics_end() { topics_->end(); }

 private:
  std::shared_ptr<topic_set<T, Topic>> topics_;
};

template <class T, class Topic, class Function>
task<> publish(scope* inside, take_channel<T> from, Function topic_of,
               std::shared_ptr<topic_set<T, Topic>> topics) {
  const topics_end<T, Topic> end(topics);
  while (auto value = co_await from.take()) {
    const auto topic = topics->find(Topic(std::invoke(topic_of, std::as_const(*value))));
    if (!topic) continue;
    if (!std::exchange(topic->started, true)) {
      inside->go(fan_out<T>(topic->values, topic->taps));
    }
    co_await topic->values.put(std::move(*value));  // refused: nobody is left
  }
}

template <class T, class Topic, class Function>
task<> publish_all(take_channel<T> from, Function topic_of,
                   std::shared_ptr<topic_set<T, Topic>> topics) {
  co_await with_scope(
      [&](scope& inside) { return publish<T, Topic>(&inside, from, std::move(topic_of), topics); });
}

}  // namespace detail

/// A handle: copies are the same pub. It runs until its source ends, also without handles.
/// Requires of Topic: it copies, and has an order.
template <std::copy_constructible T, class Topic>
class pub {
 public:
  /// Begins to take from `source`; `topic_of` says the topic of a value.
  /// Source: core.async pub.
  template <taking From, class Function>
  pub(const From& source, Function topic_of, pub_options<Topic> options = {})
      : topics_(std::make_shared<detail::topic_set<T, Topic>>(std::move(options.buffer))) {
    detail::start_in(options.in, detail::publish_all<T, Topic>(take_channel(source),
                                                               std::move(topic_of), topics_));
  }

  /// Subscribes: `to` gets the values of `topic` taken from now on, and is closed when the source
  /// ends, if `.closes`. A subscriber that is found closed is removed. Threads: any.
  template <putting To>
  void sub(const Topic& topic, const To& to, tap_options options = {}) const {
    topics_->add(topic, put_channel(to), options.closes);
  }
  /// Takes a subscriber away, also out of a put that waits for it. It is not closed. Threads: any.
  template <putting To>
  void unsub(const Topic& topic, const To& to) const {
    topics_->remove(topic, put_channel(to));
  }
  /// Takes away all of one topic, or of every topic; none is closed. Threads: any.
  void unsub_all(const Topic& topic) const { topics_->remove_all(topic); }
  void unsub_all() const { topics_->remove_all(); }

 private:
  std::shared_ptr<detail::topic_set<T, Topic>> topics_;
};

template <taking From, class Function>
pub(const From&, Function)
    -> pub<take_value_t<From>,
           std::remove_cvref_t<std::invoke_result_t<Function&, const take_value_t<From>&>>>;
template <taking From, class Function, class Topic>
pub(const From&, Function, pub_options<Topic>) -> pub<take_value_t<From>, Topic>;

}  // namespace wherry
