// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the owner of a store keeps in memory: leases, lanes with their read-ahead, counts, the
// earliest due time. All but the leases is a copy of what is committed, as far as it was applied.
//
// Commits are made by the writer and applied here right after; a query for read-ahead runs under
// the lock of this class and may already see a commit that is not applied yet. So, under mutex_,
// 1. applying an effect over a row that the query saw already changes nothing: rows are known by
//    where they stand, and a lease by the version that it is for;
// 2. a row that has a lease is passed over by the query, whatever the query says of it;
// 3. a lease that a commit is under way for is neither reclaimed nor released.

#include <list>
#include <map>
#include <mutex>
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
  std::optional<place> before;  ///< empty: it was not there
  place after;
  std::optional<leased_machine> contents;  ///< if it is ready now, and they are at hand
};

/// Finds the free rows of a lane from a place on; see live_state::refill.
class row_source {
 public:
  virtual ~row_source() = default;
  /// Starts; then `next` gives rows in order.
  virtual void start(const std::string& lane, turn from) = 0;
  /// The next row's place, or empty: no more.
  virtual std::optional<turn> next() = 0;
  /// The contents of the row that `next` found.
  virtual leased_machine contents() = 0;
};

class live_state {
 public:
  /// Lanes that keep a read-ahead at most.
  static constexpr std::size_t warm_limit = 256;

  explicit live_state(std::int64_t epoch)
      : next_token_(static_cast<std::uint64_t>(epoch) << 32 | 1) {}

  // At the start, before anything runs.
  void load_count(phase in, std::string state, std::int64_t count);
  void load_lane(std::string lane, std::int64_t ready);

  /// Applies committed changes, in their order. Threads: the writer.
  void apply(std::vector<effect>& effects);

  [[nodiscard]] std::vector<std::string> ready_lanes();
  [[nodiscard]] machine_counts counts();

  /// Whether a lease of `count` needs `refill` first.
  [[nodiscard]] bool wants_refill(const std::string& lane, std::size_t count);
  /// Extends the read-ahead of `lane` for a lease of `count`. Errors: throws what `from` throws.
  void refill(const std::string& lane, std::size_t count, row_source& from);
  /// Leases what is in memory.
  [[nodiscard]] std::vector<leased_machine> lease(const std::string& lane, std::size_t count,
                                                  system_time expires);
  void release(const std::vector<leased_machine>& unused);
  [[nodiscard]] std::size_t reclaim(system_time now);

  /// For each outcome where its machine stands, if its lease is live; a commit is then under way.
  struct claim {
    place before;
    std::int32_t priority = 0;
  };
  [[nodiscard]] std::vector<std::optional<claim>> begin_commit(
      const std::vector<transition>& outcomes);
  /// The commit failed: the leases are as before.
  void abort_commit(const std::vector<transition>& outcomes);

  /// The earliest due time of a waiting machine, if it is known: empty inside if none waits.
  [[nodiscard]] std::optional<std::optional<system_time>> known_due();
  /// As known_due; `ask` finds it if it is not known.
  template <class Ask>
  [[nodiscard]] std::optional<system_time> find_due(Ask ask) {
    const std::lock_guard guard(mutex_);
    if (!due_known_) {
      next_due_ = ask();
      due_known_ = true;
    }
    return next_due_;
  }

  [[nodiscard]] channel<std::monostate> ready_signal() const { return signal_; }

 private:
  struct lane_entry;
  using warm_list = std::list<lane_entry*>;
  struct lane_entry {
    std::int64_t ready = 0;  // applied rows that are, leased or not
    std::int64_t leased = 0;
    read_ahead ahead;
    warm_list::iterator warm{};
    bool is_warm = false;
  };
  struct lease_entry {
    std::uint64_t token = 0;
    std::int64_t generation = 0;
    std::int64_t version = 0;
    std::int32_t priority = 0;
    place stands;
    system_time expires{};
    bool committing = false;
  };
  using lanes = std::unordered_map<std::string, lane_entry>;
  using leases = std::unordered_map<std::int64_t, lease_entry>;

  void leave(const effect& change);
  void arrive(effect& change);
  lane_entry& lane_of(const std::string& name);
  void touch(lane_entry& lane);
  void drop_if_idle(lanes::iterator lane);
  leases::iterator end_lease(leases::iterator lease);

  std::mutex mutex_;
  lanes lanes_;     // with a ready or leased machine; no others
  warm_list warm_;  // those whose read-ahead is not cold, last used first
  leases leases_;
  machine_counts counts_;
  std::optional<system_time> next_due_;
  bool due_known_ = false;
  std::uint64_t next_token_;
  channel<std::monostate> signal_{fixed{1}};
};

}  // namespace wherry::sqlite
