// SPDX-License-Identifier: Apache-2.0
// Looks at a store beside its owner, and leaves commands in its inbox.

#include <memory>

#include "owner_lock.hpp"
#include "schema.hpp"
#include "upkeep.hpp"
#include "views.hpp"
#include "wherry/store/sqlite.hpp"

namespace wherry {
namespace sqlite {
namespace {

class inspector final : public sqlite_inspector {
 public:
  explicit inspector(const std::filesystem::path& file) : file_(file, access::read) {
    require_store(file_);
  }

  std::expected<machine_counts, store_error> count() override {
    return guarded([this] { return read_counts(file_); });
  }

  std::expected<std::vector<machine_view>, store_error> query(const machine_filter& filter,
                                                              std::size_t limit,
                                                              std::string after_id) override {
    return guarded([&] { return read_machines(file_, filter, limit, std::move(after_id)); });
  }

  std::expected<std::vector<history_entry>, store_error> history(std::string_view id) override {
    return guarded([&] { return read_history(file_, id); });
  }

  std::expected<std::vector<lane_state>, store_error> lanes() override {
    return guarded([&] { return read_lanes(file_, clock_now()); });
  }

  std::expected<system_time, store_error> waiting_since() override {
    return guarded([this] {
      statement newest(file_,
                       "SELECT coalesce(max(updated_ms), 0) FROM (SELECT updated_ms FROM machines "
                       "WHERE phase = 'waiting' ORDER BY due_ms LIMIT 1000)");
      return system_time(std::chrono::milliseconds(newest.value()));
    });
  }

  std::expected<void, store_error> ask(const control_request& asked) override {
    if (auto why = refusal(asked); !why.empty()) {
      return std::unexpected(store_error{store_error::kind::refused, std::move(why)});
    }
    return guarded([&] {
      const auto& filter = asked.filter;
      const std::string_view in = filter.phase ? to_string(*filter.phase) : std::string_view();
      database mine(file_.file(), access::write);
      statement(mine,
                "INSERT INTO inbox (verb, phase, state, id, id_prefix, asked_ms, priority, lane) "
                "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, iif(?8, ?9, NULL))")
          .with(to_string(asked.verb), in, filter.state, filter.id, filter.id_prefix,
                to_ms(clock_now()), std::int64_t{asked.priority},
                std::int64_t{filter.lane.has_value()}, filter.lane.value_or(""))
          .run();
    });
  }

  std::string owner() override { return owner_of(file_.file()); }

 private:
  static system_time clock_now() {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }

  database file_;
};

/// Brings an older store up to date, unless somebody runs it, who then knows only the older schema.
void migrate_unless_owned(const std::filesystem::path& file) {
  {
    database look(file, access::read);
    if (identify(look) != identity::older) return;
  }
  if (const auto by = owner_of(file); !by.empty()) {
    throw database_failure(
        {store_error::kind::owned, file.string() + ": an older Wherry runs it, " + by +
                                       ": look at it with that version, or once it has ended"});
  }
  const owner_lock owner(file);
  database own(file, access::write);
  if (identify(own) == identity::older) migrate(own);
}

}  // namespace

std::filesystem::path existing_store(const std::filesystem::path& file) {
  std::error_code error;
  auto whole = std::filesystem::weakly_canonical(file, error);
  if (error || !std::filesystem::exists(whole, error)) {
    throw database_failure(
        {store_error::kind::missing,
         file.string() + ": no such store: start an import, or name another file"});
  }
  if (std::filesystem::is_directory(whole)) {
    throw database_failure(
        {store_error::kind::io, whole.string() + ": a directory: name the store in it"});
  }
  return whole;
}

void require_store(database& file) {
  if (identify(file) == identity::ours) return;
  throw database_failure(
      {store_error::kind::missing,
       file.file().string() + ": an empty file: the first import makes a store of it"});
}

}  // namespace sqlite

std::expected<std::unique_ptr<sqlite_inspector>, store_error> inspect_sqlite_store(
    const std::filesystem::path& file) {
  using namespace sqlite;
  return guarded([&]() -> std::unique_ptr<sqlite_inspector> {
    const auto whole = existing_store(file);
    migrate_unless_owned(whole);
    return std::make_unique<inspector>(whole);
  });
}

}  // namespace wherry
