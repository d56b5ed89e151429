// SPDX-License-Identifier: Apache-2.0
#pragma once
// The rows of the channel benchmark in Wherry. Each is a task that measures itself and prints; each
// uses only what a user's program has: the public headers, the default channel, real processes.

#include <string>

#include "measure.hpp"
#include "wherry/csp/task.hpp"

namespace chanbench {

// Values that pass between processes (channel_rows.cpp). Round trips, items or hops a repetition:
// those of the peers.
wherry::task<> ping_pong(repetitions all);
wherry::task<> producer_consumer(repetitions all, int items, int capacity);
wherry::task<> many_to_many(repetitions all, int capacity);
wherry::task<> ring(repetitions all);
wherry::task<> select_over_2(repetitions all);
wherry::task<> select_over_16(repetitions all);

// Processes by the million (task_rows.cpp).
wherry::task<> spawn(repetitions all);
wherry::task<> timers(std::string row);
wherry::task<> parked_on_one(std::string row);
wherry::task<> parked_on_own(std::string row);

}  // namespace chanbench
