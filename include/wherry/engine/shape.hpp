// SPDX-License-Identifier: Apache-2.0
#pragma once
// The shape of a kind's stored states: which tags there are, and which members each has. When a
// program changes them so that what is stored cannot be read any more, its kind gets one more
// upgrade, from the JSON as it was to the JSON as it is:
//
//   struct report {
//     static void name_the_currency(state_json& old) {              // to shape 1
//       if (old.tag == "uploadable") old.data["currency"] = "USD";
//     }
//     static constexpr std::array upgrades{&name_the_currency};     // to shape 1, to shape 2, …
//
// Invariants
// 1. The shape of a kind is the number of its upgrades; each stored state says of which shape it
//    is.
// 2. A state of an older shape goes through the upgrades that it lacks whenever it is read, and is
//    stored in the newest with the next transition. So an upgrade that was released is never
//    changed, moved or taken away.
// 3. A state of a newer shape, or with a tag that no state has, is somebody else's: left alone.
//
// Lane, rank and policy of a machine are those of its state as it is stored: an upgrade touches
// them with the next transition.

#include <boost/json/object.hpp>
#include <cstdint>
#include <expected>
#include <span>
#include <string>

namespace wherry {

/// A state as a store keeps it.
struct stored_state {
  std::string tag;
  std::string data;  ///< JSON
  std::int32_t shape = 0;
};

/// A state between two shapes.
struct state_json {
  std::string tag;
  boost::json::object data;
};

/// From one shape to the next. Pure. Errors: what it throws; the machine is then a dead letter, as
/// it was, and can be redriven by a program whose upgrade is right.
using upgrade = void (*)(state_json& old);

/// Why a stored state is no state of this program.
struct unreadable {
  enum class kind : std::uint8_t {
    damaged,  ///< its JSON is not what its tag and shape promise, or an upgrade threw
    foreign   ///< another program's: of a newer shape, or with a tag that is not known
  };
  kind what = kind::damaged;
  std::string why;
};

namespace detail {

/// The JSON of `stored` in the newest shape, which has all of `upgrades` behind it.
[[nodiscard]] std::expected<state_json, unreadable> read_json(const stored_state& stored,
                                                              std::span<const upgrade> upgrades);

[[nodiscard]] unreadable of_unknown_tag(const std::string& tag);
[[nodiscard]] unreadable damaged(const std::string& tag, const std::string& why);

}  // namespace detail
}  // namespace wherry
