// SPDX-License-Identifier: Apache-2.0
#pragma once
// batch_load: one batch of reports on its way into the table, in as many transactions as it takes.
// Internal to app/warehouse.
//
// What blocks (the database) runs on a thread of the pool, what waits for S3 does not; the
// transaction is open meanwhile, and whatever unwinds here rolls it back.

#include <atomic>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "spool/spool.hpp"
#include "warehouse/bucket.hpp"
#include "warehouse/queue.hpp"
#include "warehouse/transaction.hpp"

namespace wherry::app {

/// What every batch works with. Requires: outlives them.
struct load_parts {
  load_target target;
  const app::sink& sink;
  spool& files;
  app::bucket& bucket;
};

class batch_load {
 public:
  batch_load(load_parts& with, std::vector<load_item> batch);

  /// Suspends: until each report has its outcome, which come in their order.
  task<std::vector<load_outcome>> run();

 private:
  using numbers = std::vector<std::size_t>;  // of reports in the batch
  using begun = std::pair<load_transaction, std::vector<known_load>>;
  using fetched = std::expected<spool_file, load_error>;

  // The reports of one transaction. Those of `to_load` come first in `active`, in the same order.
  struct portion {
    numbers active;  // of which anything is to be written
    std::vector<load_item> to_load;
    std::vector<load_item> to_remember;  // all of `active`
    std::vector<std::string> paths;      // of to_load: where each object lies, if it is read here
    std::string batch;
    std::string manifest_url;  // empty: there is no manifest

    void add(std::size_t number, const load_item& report, bool is_loaded);
    void remove_loaded(std::size_t i);
  };

  /// One transaction about some of the batch. Those to be tried again go to portions_.
  task<> attempt(numbers some);
  void choose(const numbers& some, const std::vector<load_item>& reports,
              const std::vector<known_load>& known);
  task<> bring_objects();
  task<> bring_manifest();
  task<> fetch_some();
  load_or_failure<> store(load_transaction& in, const std::string& now_utc);
  std::expected<void, load_error> read(const load_item& of,
                                       const database_connection::receiver& into) const;
  void judge(const failed_load& failed);
  void fail_all(const numbers& reports, const load_error& with);
  task<> tidy();

  [[nodiscard]] bool is_redshift() const {
    return with_.target.warehouse.is == warehouse::kind::redshift;
  }
  [[nodiscard]] bool has_file_sink() const { return with_.sink.url.starts_with("file://"); }

  load_parts& with_;
  const std::vector<load_item> batch_;
  std::vector<load_outcome> results_;
  std::vector<numbers> portions_;  // to be tried
  portion now_;
  std::vector<std::optional<fetched>> got_;  // of now_.to_load
  std::atomic<std::size_t> next_{0};         // to be fetched
};

}  // namespace wherry::app
