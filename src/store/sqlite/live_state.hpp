// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the owner of a store keeps in memory: leases, lanes with their read-ahead, counts, the
// earliest due time. All but the leases is a copy of what is committed, as far as it was applied.
//
// Commits are made by the writer and applied here right after. A query for read-ahead runs on the
// reader, under no lock: it may see a commit that is not applied yet, and miss one that is applied
// while it runs. So, under mutex_,
// 1. applying an effect over a row that the query saw already changes nothing: rows are known by
//    where they stand, and a lease by the version that it is for;
// 2. what the query found of a machine that moved here meanwhile, or that has a lease, is dropped;
//    a place from which such a machine would be missed becomes the bound of the read-ahead;
// 3. a lease that a commit is under way for is neither reclaimed nor released.

#include <algorithm>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "database.hpp"
#include "read_ahead.hpp"

namespace wherry::sqlite {

/// Where a machine stands: what counts, lanes and timers need to know of it.
struct place {
  wherry::phase phase = phase::ready;
  std::string state;
  std::string lane;
  turn at;
};

/// What a committed change did to one machine.
struct effect {
  std::int64_t key = 0;
  std::int64_t generation = 0;  ///< after
  std::int64_t version = 0;     ///< after
  std::int64_t version_before = 0;
  std::int64_t attempt = 1;                    // before
  std::int32_t rank = 0;                       // before
  std::optional<std::int32_t> new_priority{};  ///< if that is all that changed
  std::optional<place> before;                 ///< empty: it was not there
  std::optional<place> after;                  ///< empty: it is there no more
  std::optional<leased_machine> contents;      ///< if it is ready now, and they are at hand
};

/// Which free rows a query has to find: at most `room` of `lane`, from `from` on.
struct refill_plan {
  std::string lane;
  turn from;
  std::size_t room = 0;
  std::vector<std::int64_t> leased;  ///< keys of rows there that are not free, in order

  [[nodiscard]] bool is_leased(std::int64_t key) const {
    return std::ranges::binary_search(leased, key);
  }
};

/// All free rows of a lane from the plan's `from` on and before `bound`.
struct found_rows {
  std::vector<free_row> rows;
  turn bound = turn::highest();
};

class live_state {
 public:
  /// Lanes that keep a read-ahead at most, and bytes of all of them.
  static constexpr std::size_t warm_limit = 256;
  static constexpr std::size_t warm_byte_limit = 16 << 20;

  explicit live_state(std::int64_t epoch)
      : next_token_(static_cast<std::uint64_t>(epoch) << 32 | 1) {}

  // At the start, before anything runs.
  void load_count(phase in, std::string state, std::int64_t count);
  void load_lane(std::string lane, std::int64_t ready);

  void load_pause(std::string lane);

  /// A lane was paused, or resumed. Threads: the writer.
  void set_paused(const std::string& lane, bool is_paused);
  /// Applies committed changes, in their order. Threads: the writer.
  void apply(std::vector<effect>& effects);

  [[nodiscard]] std::vector<std::string> ready_lanes();
  [[nodiscard]] machine_counts counts();

  /// Whether a lease of `count` needs `refill` first.
  [[nodiscard]] bool wants_refill(const std::string& lane, std::size_t count);
  /// Extends the read-ahead of `lane` for a lease of `count`, by what `read(plan)` finds. What came
  /// too late for the read-ahead is announced by `ready_signal`.
  /// Threads: one refill at a time. Errors: throws what `read` throws.
  template <class Read>
  void refill(const std::string& lane, std::size_t count, Read read) {
    if (const auto plan = begin_refill(lane, count)) end_refill(*plan, read(*plan));
  }
  /// Leases what is in memory.
  [[nodiscard]] std::vector<leased_machine> lease(const std::string& lane, std::size_t count,
                                                  system_time expires);
  void release(const std::vector<leased_machine>& unused);
  void renew(const std::vector<lease_id>& held, system_time expires);
  /// Takes over the leases that ran out; their contents are for the caller to find.
  struct lost_lease {
    lease_id taken;
    std::int64_t generation = 0;
    std::int64_t version = 0;
  };
  [[nodiscard]] std::vector<lost_lease> reclaim(system_time now, system_time expires);

  /// For each outcome where its machine stands, if its lease is live; a commit is then under way.
  struct claim {
    place before;
    std::int32_t priority = 0;
    system_time deadline{};
  };
  [[nodiscard]] std::vector<std::optional<claim>> begin_commit(
      const std::vector<transition>& outcomes);
  /// Nothing was committed: the lease is as before. Requires: begin_commit claimed it.
  void abort_commit(const transition& outcome);

  /// The earliest due time of a waiting machine; empty: none waits.
  void set_next_due(std::optional<system_time> due);
  [[nodiscard]] std::optional<system_time> next_due();

  [[nodiscard]] channel<std::monostate> ready_signal() const { return signal_; }

 private:
  struct lane_entry;
  using warm_list = std::list<lane_entry*>;
  struct lane_entry {
    std::int64_t ready = 0;  // applied rows that are, leased or not
    std::int64_t leased = 0;
    read_ahead ahead;
    std::size_t counted = 0;  // of ahead.bytes(), in warm_bytes_
    warm_list::iterator warm{};
    bool is_warm = false;
  };
  struct lease_entry {
    std::uint64_t token = 0;
    std::int64_t generation = 0;
    std::int64_t version = 0;
    std::int32_t priority = 0;
    system_time deadline{};
    place stands;
    system_time expires{};
    bool committing = false;
  };
  using lanes = std::unordered_map<std::string, lane_entry>;
  using leases = std::unordered_map<std::int64_t, lease_entry>;

  /// What happens to a lane while a query for it runs.
  struct refill_watch {
    std::string lane;
    std::set<std::int64_t> moved;      // left it, or came into it
    turn missed_at = turn::highest();  // the first place at which the query may have missed a row
  };

  [[nodiscard]] std::optional<refill_plan> begin_refill(const std::string& lane, std::size_t count);
  void end_refill(const refill_plan& plan, found_rows found);
  void became_free(const std::string& lane, std::int64_t key, turn at);
  void leave(const effect& change);
  void arrive(effect& change);
  lane_entry& lane_of(const std::string& name);
  void touch(lane_entry& lane);
  void chill_oldest();
  void weigh(lane_entry& lane);
  void drop_if_idle(lanes::iterator lane);
  void end_lease(leases::iterator lease);

  std::mutex mutex_;
  lanes lanes_;  // with a ready or leased machine; no others
  std::set<std::string, std::less<>> paused_;
  warm_list warm_;  // those whose read-ahead is not cold, last used first
  std::size_t warm_bytes_ = 0;
  leases leases_;
  machine_counts counts_;
  std::optional<refill_watch> watch_;  // of the refill under way
  std::optional<system_time> next_due_;
  std::uint64_t next_token_;
  channel<std::monostate> signal_{fixed{1}};
};

}  // namespace wherry::sqlite
