// SPDX-License-Identifier: Apache-2.0
#pragma once
// A case of a select whose kind is known only at run time: a put, a take or a deadline. So that a
// generator can make every select of up to four cases out of one type. What it does is done by the
// operations of the library.

#include <type_traits>
#include <utility>
#include <variant>

#include "program.hpp"
#include "token.hpp"
#include "wherry/csp/select.hpp"
#include "wherry/csp/timeout.hpp"

namespace wherry::reference {

template <class Channel>
class either_case {
 public:
  using value_type = answer;

  explicit either_case(const Channel& from) : operation_(from.take()) {}
  either_case(const Channel& to, token& value) : operation_(to.put(std::move(value))) {}
  explicit either_case(duration after) : operation_(deadline{timeout(after)}) {}

  [[nodiscard]] bool may_commit() const noexcept {
    return std::visit([](auto& one) { return one.may_commit(); }, operation_);
  }
  bool attempt_locked(wherry::detail::wake_list& wakes) noexcept {
    return std::visit([&](auto& one) { return one.attempt_locked(wakes); }, operation_);
  }
  [[nodiscard]] wherry::detail::channel_core& core() const noexcept {
    return std::visit([](auto& one) -> auto& { return one.core(); }, operation_);
  }
  [[nodiscard]] bool enqueue_locked(wherry::detail::process& owner) noexcept {
    return std::visit([&](auto& one) { return one.enqueue_locked(owner); }, operation_);
  }
  void remove_locked() noexcept {
    std::visit([](auto& one) { one.remove_locked(); }, operation_);
  }
  bool settle() noexcept {
    return std::visit([](auto& one) { return one.settle(); }, operation_);
  }

  answer await_resume() {
    return std::visit(
        [](auto& one) {
          auto had = one.await_resume();
          if constexpr (std::is_same_v<decltype(had), bool>) {
            return answer{.how = had ? ending::accepted : ending::refused};
          } else if constexpr (std::is_same_v<decltype(had), std::optional<token>>) {
            return taken(had);
          } else {
            return answer{.how = ending::timed_out};
          }
        },
        operation_);
  }

  static answer taken(const std::optional<token>& had) {
    if (!had) return {.how = ending::ended};
    return {.how = ending::taken, .arm = 0, .value = had->value()};
  }

 private:
  using take = decltype(std::declval<const Channel&>().take());
  using put = decltype(std::declval<const Channel&>().put(std::declval<token&&>()));
  using wait = decltype(std::declval<const take_channel<std::monostate>&>().take());

  /// Keeps its timeout, as a temporary in the expression of a select would.
  struct deadline : wait {
    explicit deadline(take_channel<std::monostate> held)
        : wait(held.take()), held_(std::move(held)) {}
    take_channel<std::monostate> held_;
  };

  std::variant<take, put, deadline> operation_;
};

}  // namespace wherry::reference
