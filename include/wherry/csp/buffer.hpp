// SPDX-License-Identifier: Apache-2.0
#pragma once
// The buffers that a channel may have, and how many may wait at it. Each is a plain value that
// chooses, `channel<int>{sliding{16}}`; its room is taken at once, when the channel is made.
//
// Source: core.async (buffer, dropping-buffer, sliding-buffer, promise-chan).

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "wherry/csp/assert.hpp"

namespace wherry {

/// A buffer of `size` values; puts wait while it is full. Requires, of this and the next two: a
/// size of 1 to 2^32 - 1; without a buffer, a put waits for its take.
struct fixed {
  std::size_t size;
};

/// A buffer of `size` values; a put never waits: while it is full, the value put is dropped.
struct dropping {
  std::size_t size;
};

/// A buffer of `size` values; a put never waits: while it is full, the oldest value is dropped.
struct sliding {
  std::size_t size;
};

/// One value for all: the first put is kept and every take, also after the close, gets a copy of
/// it; later puts are dropped. Requires: a copyable T.
struct promise {};

/// How many puts, and how many takes, may wait at a channel; one more gets too_many_waiters. Not to
/// be reached: where it is, something makes work faster than it is done.
struct waiters_limit {
  std::size_t count = 1024;
};

namespace detail {

enum class buffer_kind : std::uint8_t { fixed, dropping, sliding, promise };

struct buffer_choice {
  buffer_kind kind = buffer_kind::fixed;
  std::size_t size = 0;  // 0: none

  constexpr buffer_choice() noexcept {}
  buffer_choice(fixed chosen) : buffer_choice(buffer_kind::fixed, chosen.size) {}
  buffer_choice(dropping chosen) : buffer_choice(buffer_kind::dropping, chosen.size) {}
  buffer_choice(sliding chosen) : buffer_choice(buffer_kind::sliding, chosen.size) {}
  buffer_choice(promise) : buffer_choice(buffer_kind::promise, 1) {}

 private:
  buffer_choice(buffer_kind kind_of, std::size_t size_of) : kind(kind_of), size(size_of) {
    WHERRY_ASSERT(size > 0, "a buffer of no values is no buffer: make the channel without one");
    WHERRY_ASSERT(size <= UINT32_MAX, "a buffer holds four thousand million values at most");
  }
};

}  // namespace detail

/// A buffer of values, or by default none: for what makes a channel for its caller.
struct any_buffer : detail::buffer_choice {
  constexpr any_buffer() noexcept {}
  any_buffer(fixed chosen) : buffer_choice(chosen) {}
  any_buffer(dropping chosen) : buffer_choice(chosen) {}
  any_buffer(sliding chosen) : buffer_choice(chosen) {}
};

namespace detail {

/// A ring of values in order of arrival, behind one pointer: most channels have none.
/// Threads: one at a time; others may ask whether it is empty or full, and get a guess.
/// Requires: T moves without throwing.
template <class T>
class ring {
 public:
  explicit ring(std::size_t capacity) : all_(capacity == 0 ? nullptr : make(capacity)) {}
  ring(const ring&) = delete;
  ring& operator=(const ring&) = delete;
  ~ring() {
    if (all_ == nullptr) return;
    while (!empty()) static_cast<void>(pop());
    std::destroy_at(all_);
    ::operator delete(all_, std::align_val_t{alignment});
  }

  [[nodiscard]] bool empty() const noexcept { return all_ == nullptr || count() == 0; }
  [[nodiscard]] bool full() const noexcept { return all_ == nullptr || count() == all_->capacity; }
  [[nodiscard]] const T& front() const noexcept { return *at(all_->first); }

  void push(T&& value) noexcept {
    std::construct_at(at(wrap(std::uint64_t{all_->first} + count())), std::move(value));
    set_count(count() + 1);
  }
  [[nodiscard]] T pop() noexcept {
    T* const slot = at(all_->first);
    T value = std::move(*slot);
    std::destroy_at(slot);
    all_->first = wrap(std::uint64_t{all_->first} + 1);
    set_count(count() - 1);
    return value;
  }

 private:
  struct header {
    std::uint32_t capacity;
    std::uint32_t first = 0;
    std::atomic<std::uint32_t> count = 0;
  };
  static constexpr std::size_t alignment = std::max(alignof(T), alignof(header));
  static constexpr std::size_t values_at =
      (sizeof(header) + alignof(T) - 1) / alignof(T) * alignof(T);

  static header* make(std::size_t capacity) {
    void* const all = ::operator new(values_at + capacity * sizeof(T), std::align_val_t{alignment});
    return std::construct_at(static_cast<header*>(all), static_cast<std::uint32_t>(capacity));
  }
  [[nodiscard]] std::uint32_t count() const noexcept {
    return all_->count.load(std::memory_order_relaxed);
  }
  void set_count(std::uint32_t count) noexcept {
    all_->count.store(count, std::memory_order_relaxed);
  }
  [[nodiscard]] T* at(std::uint32_t index) const noexcept {
    return reinterpret_cast<T*>(reinterpret_cast<std::byte*>(all_) + values_at) + index;
  }
  [[nodiscard]] std::uint32_t wrap(std::uint64_t index) const noexcept {
    return static_cast<std::uint32_t>(index >= all_->capacity ? index - all_->capacity : index);
  }

  header* all_;  // and its values behind it
};

}  // namespace detail
}  // namespace wherry
