// SPDX-License-Identifier: Apache-2.0
#include "wherry/engine/shape.hpp"

#include <boost/json.hpp>
#include <cstddef>
#include <exception>
#include <new>
#include <utility>

#include "wherry/engine/codec.hpp"

namespace wherry::detail {
namespace {

unreadable of_newer_shape(const stored_state& stored, std::int32_t known) {
  return {unreadable::kind::foreign, "its state \"" + stored.tag + "\" is of shape " +
                                         std::to_string(stored.shape) + ", this program knows " +
                                         std::to_string(known) +
                                         ": left alone for the newer program that wrote it"};
}

}  // namespace

std::expected<state_json, unreadable> read_json(const stored_state& stored,
                                                std::span<const upgrade> upgrades) {
  const auto known = static_cast<std::int32_t>(upgrades.size());
  if (stored.shape > known) return std::unexpected(of_newer_shape(stored, known));
  if (stored.shape < 0) return std::unexpected(damaged(stored.tag, "its shape is below zero"));
  auto json = parse_json(stored.data);
  if (!json) return std::unexpected(damaged(stored.tag, json.error()));
  if (!json->is_object()) return std::unexpected(damaged(stored.tag, "wanted an object"));
  state_json state{.tag = stored.tag, .data = std::move(json->get_object())};
  for (auto at = stored.shape; at < known; ++at) {
    const auto failed = [&](const std::string& why) {
      return std::unexpected(damaged(
          stored.tag, "its upgrade to shape " + std::to_string(at + 1) + " failed: " + why));
    };
    try {
      upgrades[static_cast<std::size_t>(at)](state);
    } catch (const std::bad_alloc&) {
      throw;  // no fault of the state
    } catch (const std::exception& thrown) {
      return failed(thrown.what());
    } catch (...) {  // NOLINT(bugprone-empty-catch): told
      return failed("it threw what is no std::exception");
    }
  }
  return state;
}

unreadable of_unknown_tag(const std::string& tag) {
  return {unreadable::kind::foreign,
          "this program has no state \"" + tag +
              "\": left alone for the one that wrote it; if it was renamed or taken away here, add "
              "an upgrade that says what became of it"};
}

unreadable damaged(const std::string& tag, const std::string& why) {
  return {unreadable::kind::damaged, "the stored state \"" + tag + "\" cannot be read: " + why +
                                         ": mend its data, or the upgrade, and redrive it"};
}

}  // namespace wherry::detail
