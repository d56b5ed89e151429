// SPDX-License-Identifier: Apache-2.0
#pragma once
// pipeline: work on many values of a channel at once, results in the order of the values.
//
//   pipeline(raw, map(parse) | filter(is_valid), rows, {.parallel = 4});
//   pipeline_blocking(paths, map(read_file), texts, {.parallel = 8});     on threads that may block
//   pipeline_async(urls, fetch, pages, {.parallel = 32});                 fetch: a task
//
// How (as core.async): the feeder makes a slot for the results of each value, gives the value to a
// worker and the slot to the collector, which empties the slots in order. While nobody takes from
// `to`, parallel + 2 values are accepted.

#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "wherry/csp/combine.hpp"
#include "wherry/csp/go.hpp"
#include "wherry/csp/transform.hpp"

namespace wherry {

struct pipeline_options {
  /// How many values are worked on at once. Requires: > 0.
  std::size_t parallel = 1;
  /// Whether `to` is closed when `from` ends.
  bool closes = true;
  /// Owns the processes. Default: the scheduler.
  scope* in = nullptr;
};

namespace detail {

/// One value on its way, and where its results go.
template <class In, class Out>
struct pipeline_job {
  In value;
  channel<Out> results;
};

template <class In, class Out>
struct pipeline_lines {
  explicit pipeline_lines(std::size_t parallel) : jobs(fixed{parallel}), slots(fixed{parallel}) {}
  channel<pipeline_job<In, Out>> jobs;
  channel<channel<Out>> slots;
};

template <class In, class Out>
task<> feed_pipeline(take_channel<In> from, pipeline_lines<In, Out> lines) {
  const closing_end<pipeline_job<In, Out>> no_more_jobs(lines.jobs);
  const closing_end<channel<Out>> no_more_slots(lines.slots);
  while (auto value = co_await from.take()) {
    channel<Out> results{fixed{1}};
    co_await lines.jobs.put(pipeline_job<In, Out>{std::move(*value), results});
    co_await lines.slots.put(results);
  }
}

template <class In, class Out, class Work>
task<> work_in_pipeline(pipeline_lines<In, Out> lines, Work work) {
  while (auto job = co_await lines.jobs.take()) {
    co_await work(std::move(job->value), put_channel<Out>(job->results));
    // Not if that threw: the collector must not go on past what failed. Its scope is cancelled.
    job->results.close();
  }
}

/// Puts all results, in order. `Out` is what a slot carries: a T, or made_of_one.
template <class T, class In, class Out, class Work>
task<> collect_pipeline(scope* inside, take_channel<In> from, Work work, put_channel<T> to,
                        std::size_t parallel) {
  const pipeline_lines<In, Out> lines(parallel);
  inside->go(feed_pipeline<In, Out>(from, lines));
  for (std::size_t each = 0; each < parallel; ++each) {
    inside->go(work_in_pipeline<In, Out>(lines, work));
  }
  bool open = true;
  while (open) {
    const auto slot = co_await lines.slots.take();
    if (!slot) break;
    while (open) {
      auto made = co_await slot->take();
      if (!made) break;
      if constexpr (std::same_as<Out, T>) {
        open = co_await to.put(std::move(*made));
      } else {
        for (auto each = made->values.begin(); open && each != made->values.end(); ++each) {
          open = co_await to.put(T(std::move(*each)));
        }
      }
    }
  }
  inside->cancel();  // `to` is closed, or all is done
}

template <class T, class In, class Out, class Work>
task<> run_pipeline(take_channel<In> from, Work work, put_channel<T> to, pipeline_options options) {
  const closing_end<T> end(to, options.closes);
  co_await with_scope([&](scope& inside) {
    return collect_pipeline<T, In, Out>(&inside, from, std::move(work), to, options.parallel);
  });
}

/// All that a transform makes of one value.
template <class T>
struct made_of_one {
  std::vector<T> values;
};

template <class In, class Chain, class Handler>
auto transform_one(const Chain& transform, Handler& on_error, In value) {
  auto running = transforms::detail::start<In>(transform);
  using output = typename decltype(running)::output;
  made_of_one<output> made;
  auto sink = [&](output&& each) { return made.values.push_back(std::move(each)), true; };
  const auto guard = [&](auto work) {
    if constexpr (std::same_as<Handler, no_handler>) {
      work();
    } else {
      try {
        work();
      } catch (...) {
        std::optional<output> instead = on_error(std::current_exception());
        if (instead) made.values.push_back(std::move(*instead));
      }
    }
  };
  guard([&] { running.feed(std::move(value), sink); });
  running.flush(sink, guard);
  return made;
}

// The kinds of work. Each worker has one of its own, which outlives the tasks that it gives.

template <class In, class Chain, class Handler>
struct transform_here {
  using made = made_of_one<transforms::output_t<In, Chain>>;
  Chain transform;
  Handler on_error;
  task<> operator()(In value, put_channel<made> results) {
    return run(this, std::move(value), results);
  }

 private:
  static task<> run(transform_here* self, In value, put_channel<made> results) {
    results.offer(transform_one(self->transform, self->on_error, std::move(value)));
    co_return;
  }
};

template <class In, class Chain, class Handler>
struct transform_on_thread {
  using made = made_of_one<transforms::output_t<In, Chain>>;
  Chain transform;
  Handler on_error;
  task<> operator()(In value, put_channel<made> results) {
    return run(transform, on_error, std::move(value), results);
  }

 private:
  static task<> run(Chain chain, Handler handler, In value, put_channel<made> results) {
    auto outcome = co_await thread([chain = std::move(chain), handler = std::move(handler),
                                    value = std::move(value)]() mutable {
                     return transform_one(chain, handler, std::move(value));
                   }).take();
    if (!outcome->has_value()) outcome->error().rethrow();
    results.offer(std::move(**outcome));
  }
};

/// A function that gives a task: of the result, or one that puts results.
template <class In, class Out, class Function>
struct await_function {
  Function function;
  task<> operator()(In value, put_channel<Out> results) {
    if constexpr (std::invocable<Function&, In, put_channel<Out>>) {
      return std::invoke(function, std::move(value), std::move(results));
    } else {
      return put_result(std::invoke(function, std::move(value)), std::move(results));
    }
  }

 private:
  static auto put_result(auto awaited, put_channel<Out> results) -> task<> {
    co_await results.put(Out(co_await std::move(awaited)));
  }
};

template <class In, class Out, class Made, class Work>
void start_pipeline(take_channel<In> from, Work work, put_channel<Out> to,
                    const pipeline_options& options) {
  WHERRY_ASSERT(options.parallel > 0, "a pipeline without a worker makes nothing");
  start_in(options.in,
           run_pipeline<Out, In, Made>(std::move(from), std::move(work), std::move(to), options));
}

}  // namespace detail

/// Puts into `to` what `transform` makes of each value of `from`; for each it begins anew.
/// `on_error` is as for `transformed`; without one, a function that throws fails the pipeline.
/// Stops when `to` is found closed. Source: core.async pipeline.
template <taking From, class... Stages, putting To, class Handler = detail::no_handler>
void pipeline(const From& from, transforms::chain<Stages...> transform, const To& to,
              pipeline_options options = {}, Handler on_error = {}) {
  using in = take_value_t<From>;
  using work = detail::transform_here<in, transforms::chain<Stages...>, Handler>;
  detail::start_pipeline<in, put_value_t<To>, typename work::made>(
      take_channel(from), work{std::move(transform), std::move(on_error)}, put_channel(to),
      options);
}

/// As pipeline, on threads of the scheduler's pool: the functions may block. They are copied for
/// each value. Source: core.async pipeline-blocking.
template <taking From, class... Stages, putting To, class Handler = detail::no_handler>
void pipeline_blocking(const From& from, transforms::chain<Stages...> transform, const To& to,
                       pipeline_options options = {}, Handler on_error = {}) {
  using in = take_value_t<From>;
  using work = detail::transform_on_thread<in, transforms::chain<Stages...>, Handler>;
  detail::start_pipeline<in, put_value_t<To>, typename work::made>(
      take_channel(from), work{std::move(transform), std::move(on_error)}, put_channel(to),
      options);
}

/// As pipeline, by a function that gives a task: `task<Out> f(In)`, or, for none or many results,
/// `task<> f(In, put_channel<Out>)`, whose channel is closed when the task has ended. A task that
/// throws fails the pipeline. Source: core.async pipeline-async, where the function must close.
template <taking From, class Function, putting To>
void pipeline_async(const From& from, Function function, const To& to,
                    pipeline_options options = {}) {
  using in = take_value_t<From>;
  using out = put_value_t<To>;
  detail::start_pipeline<in, out, out>(
      take_channel(from), detail::await_function<in, out, Function>{std::move(function)},
      put_channel(to), options);
}

}  // namespace wherry
