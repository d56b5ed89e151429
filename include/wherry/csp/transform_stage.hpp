// SPDX-License-Identifier: Apache-2.0
#pragma once
// The stages that transforms.hpp composes, and how a chain of them runs.
//
// A stage describes; its `over<In>` does the work for values of one type:
//   output              what it gives
//   never_throws        whether its functions cannot throw
//   feed(value, next)   handles one value, calls `next` for each that it gives; false: wants no
//                       more, or somebody after it does not (`next` then gave false)
//   flush(next)         optional: gives what it still holds, once, after the last value
// Once a stage has wanted no more it gives nothing, so a flush before it changes nothing.

#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace wherry::transforms {

template <class... Stages>
struct chain;

namespace detail {

template <class Function, class... Arguments>
using given_t = std::remove_cvref_t<std::invoke_result_t<Function&, Arguments...>>;

template <class Function>
struct mapping {
  Function function;
  template <class In>
  struct over {
    using output = given_t<Function, In>;
    static constexpr bool never_throws = std::is_nothrow_invocable_v<Function&, In>;
    mapping is;
    template <class Next>
    bool feed(In&& value, Next& next) {
      return next(output(std::invoke(is.function, std::move(value))));
    }
  };
};

template <class Predicate>
struct filtering {
  Predicate wanted;
  template <class In>
  struct over {
    using output = In;
    static constexpr bool never_throws = std::is_nothrow_invocable_v<Predicate&, const In&>;
    filtering is;
    template <class Next>
    bool feed(In&& value, Next& next) {
      return !std::invoke(is.wanted, std::as_const(value)) || next(std::move(value));
    }
  };
};

struct taking_some {
  std::size_t left;
  template <class In>
  struct over {
    using output = In;
    static constexpr bool never_throws = true;
    explicit over(taking_some stage) : left(stage.left) {}
    std::size_t left;
    template <class Next>
    bool feed(In&& value, Next& next) {
      if (left == 0) return false;
      --left;
      return next(std::move(value)) && left > 0;
    }
  };
};

template <class Predicate>
struct taking_while {
  Predicate wanted;
  template <class In>
  struct over {
    using output = In;
    static constexpr bool never_throws = std::is_nothrow_invocable_v<Predicate&, const In&>;
    taking_while is;
    bool ended = false;
    template <class Next>
    bool feed(In&& value, Next& next) {
      ended = ended || !std::invoke(is.wanted, std::as_const(value));
      return !ended && next(std::move(value));
    }
  };
};

struct dropping_some {
  std::size_t left;
  template <class In>
  struct over {
    using output = In;
    static constexpr bool never_throws = true;
    explicit over(dropping_some stage) : left(stage.left) {}
    std::size_t left;
    template <class Next>
    bool feed(In&& value, Next& next) {
      if (left == 0) return next(std::move(value));
      --left;
      return true;
    }
  };
};

template <class Predicate>
struct dropping_while {
  Predicate unwanted;
  template <class In>
  struct over {
    using output = In;
    static constexpr bool never_throws = std::is_nothrow_invocable_v<Predicate&, const In&>;
    dropping_while is;
    bool begun = false;
    template <class Next>
    bool feed(In&& value, Next& next) {
      begun = begun || !std::invoke(is.unwanted, std::as_const(value));
      return !begun || next(std::move(value));
    }
  };
};

template <class Function>
struct expanding {
  Function function;
  template <class In>
  struct over {
    using range = given_t<Function, In>;
    static_assert(std::ranges::input_range<range>, "the function of expand must give a range");
    using output = std::ranges::range_value_t<range>;
    static constexpr bool never_throws = std::is_nothrow_invocable_v<Function&, In>;
    expanding is;
    template <class Next>
    bool feed(In&& value, Next& next) {
      range all = std::invoke(is.function, std::move(value));
      for (auto&& each : all) {
        if (!next(output(std::move(each)))) return false;
      }
      return true;
    }
  };
};

struct partitioning {
  std::size_t size;
  template <class In>
  struct over {
    using output = std::vector<In>;
    static constexpr bool never_throws = true;
    explicit over(partitioning stage) : size(stage.size) {}
    std::size_t size;
    output part{};
    template <class Next>
    bool feed(In&& value, Next& next) {
      part.push_back(std::move(value));
      return part.size() < size || next(std::exchange(part, {}));
    }
    template <class Next>
    void flush(Next& next) {
      if (!part.empty()) next(std::exchange(part, {}));
    }
  };
};

template <class Key>
struct partitioning_by {
  Key key;
  template <class In>
  struct over {
    using output = std::vector<In>;
    using key_type = given_t<Key, const In&>;
    static constexpr bool never_throws = std::is_nothrow_invocable_v<Key&, const In&>;
    partitioning_by is;
    std::optional<key_type> last{};
    output part{};
    template <class Next>
    bool feed(In&& value, Next& next) {
      key_type now = std::invoke(is.key, std::as_const(value));
      const bool ends = last.has_value() && !(*last == now);
      last.emplace(std::move(now));
      if (ends && !next(std::exchange(part, {}))) return false;
      part.push_back(std::move(value));
      return true;
    }
    template <class Next>
    void flush(Next& next) {
      if (!part.empty()) next(std::exchange(part, {}));
    }
  };
};

struct deduping {
  template <class In>
  struct over {
    using output = In;
    static constexpr bool never_throws =
        std::is_nothrow_copy_constructible_v<In> &&
        noexcept(std::declval<const In&>() == std::declval<const In&>());
    explicit over(deduping) {}
    std::optional<In> last{};
    template <class Next>
    bool feed(In&& value, Next& next) {
      if (last && *last == std::as_const(value)) return true;
      last.emplace(std::as_const(value));
      return next(std::move(value));
    }
  };
};

template <class Function, class Total>
struct scanning {
  Function function;
  Total total;
  template <class In>
  struct over {
    using output = Total;
    static constexpr bool never_throws = std::is_nothrow_invocable_v<Function&, Total, In> &&
                                         std::is_nothrow_copy_constructible_v<Total>;
    scanning is;
    template <class Next>
    bool feed(In&& value, Next& next) {
      is.total = std::invoke(is.function, std::move(is.total), std::move(value));
      return next(Total(is.total));
    }
  };
};

/// A chain at work on values of type In; what comes out goes to a sink, `bool(output&&)`.
template <class In, class... Stages>
class running {
 public:
  using output = In;
  static constexpr bool never_throws = true;
  template <class Sink>
  bool feed(In&& value, Sink& sink) {
    return sink(std::move(value));
  }
  template <class Sink, class Guard>
  void flush(Sink&, const Guard&) {}
};

template <class In, class First, class... Rest>
class running<In, First, Rest...> {
  using stage = typename First::template over<In>;
  using rest = running<typename stage::output, Rest...>;

 public:
  using output = typename rest::output;
  static constexpr bool never_throws = stage::never_throws && rest::never_throws;
  explicit running(First first, Rest... others)
      : stage_{std::move(first)}, rest_(std::move(others)...) {}

  template <class Sink>
  bool feed(In&& value, Sink& sink) {
    auto next = next_into(sink);
    return stage_.feed(std::move(value), next);
  }
  /// `guard(work)` runs the flush of one stage: if it throws, the next is flushed all the same.
  template <class Sink, class Guard>
  void flush(Sink& sink, const Guard& guard) {
    auto next = next_into(sink);
    if constexpr (requires { stage_.flush(next); }) guard([&] { stage_.flush(next); });
    rest_.flush(sink, guard);
  }

 private:
  template <class Sink>
  auto next_into(Sink& sink) {
    return [this, &sink](typename stage::output&& value) {
      return rest_.feed(std::move(value), sink);
    };
  }
  stage stage_;
  rest rest_;
};

template <class In, class Chain>
struct running_of;
template <class In, class... Stages>
struct running_of<In, chain<Stages...>> {
  using type = running<In, Stages...>;
};
template <class In, class Chain>
using running_t = typename running_of<In, Chain>::type;

template <class In, class... Stages>
running<In, Stages...> start(const chain<Stages...>& described) {
  return std::make_from_tuple<running<In, Stages...>>(described.stages);
}

}  // namespace detail
}  // namespace wherry::transforms
