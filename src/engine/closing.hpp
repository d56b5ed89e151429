// SPDX-License-Identifier: Apache-2.0
#pragma once
// How the end of one process of the engine becomes the end of the next.

#include "wherry/csp/channel.hpp"

namespace wherry {

/// Closes a channel when the process that puts to it ends, however it ends.
template <class T>
class [[nodiscard]] closing {
 public:
  explicit closing(const channel<T>& what) : what_(what) {}
  closing(const closing&) = delete;
  closing& operator=(const closing&) = delete;
  ~closing() { what_.close(); }

 private:
  channel<T> what_;
};

}  // namespace wherry
