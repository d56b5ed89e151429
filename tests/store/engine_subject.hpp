// SPDX-License-Identifier: Apache-2.0
#pragma once
// For engines on the durable store: a kind of three states whose steps the case scripts, and the
// real SQLite store under virtual time, so that a day costs nothing and order is drawn.
//
// Method: a case is a coroutine that runs once a seed. The store has no threads of its own then:
// the scheduler runs what they would do. The file is a real one, on the real disk.

#include <filesystem>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "sqlite_subject.hpp"
#include "store/sqlite/surroundings.hpp"
#include "wherry/csp/scope.hpp"
#include "wherry/csp/sleep.hpp"
#include "wherry/engine/engine.hpp"

namespace wherry::test {

using namespace std::chrono_literals;

struct packed {
  static constexpr std::string_view tag = "packed";
  std::string lane;
};
BOOST_DESCRIBE_STRUCT(packed, (), (lane))

struct carried {
  static constexpr std::string_view tag = "carried";
  std::string lane;
  std::string note;
};
BOOST_DESCRIBE_STRUCT(carried, (), (lane, note))

struct delivered {
  static constexpr std::string_view tag = "delivered";
  std::string note;
};
BOOST_DESCRIBE_STRUCT(delivered, (), (note))

/// What its steps do, the case says. Unsaid: on to the next state at once.
struct parcel {
  static constexpr std::string_view name = "parcel";
  using state = std::variant<packed, carried, delivered>;
  using said = outcome<state>;

  std::function<task<said>(packed, step_context)> on_packed;
  std::function<task<said>(carried, step_context)> on_carried;

  task<said> step(packed now, step_context context) {
    if (on_packed) co_return co_await on_packed(now, std::move(context));
    co_return carried{now.lane, "on its way"};
  }
  task<said> step(carried now, step_context context) {
    if (on_carried) co_return co_await on_carried(now, std::move(context));
    co_return delivered{now.note};
  }
  [[nodiscard]] std::string lane(const packed& now) const { return now.lane; }
  [[nodiscard]] std::string lane(const carried& now) const { return now.lane; }
};

using said = parcel::said;
using parcel_engine = engine<parcel>;
using parcels = std::vector<parcel_engine::start>;

/// `count` parcels "prefix/0", "prefix/1"… in lane "lane".
[[nodiscard]] parcels some(int count, const std::string& prefix = "p");

/// Runs `body` on the store in `file` under virtual time, and closes it.
void on_virtual_time(const std::filesystem::path& file, std::uint64_t seed,
                     const std::function<task<>(store&)>& body,
                     const sqlite::surroundings& world = {});

/// Runs `body` on a new store under virtual time, once a seed, and checks the tables after it.
void over_seeds(int count, const std::function<task<>(store&, std::filesystem::path)>& body);

/// Submits; checks that all were new.
task<> submit_all(parcel_engine& to, parcels wanted);
/// As engine.run(until), for a scope; checks that it ends well.
task<> run_well(parcel_engine& subject, run_until until);
/// An engine of that kind runs on the store until it has drained; checks that it ends well.
task<> run_out(store& on, parcel kind, engine_options options = {});

/// Leaves a command in the store's inbox, as another process does.
void ask_beside(const std::filesystem::path& file, const control_request& asked);

/// The ids of all that are in this phase, in order.
[[nodiscard]] strings ids_in(store& from, phase wanted);

}  // namespace wherry::test
