// SPDX-License-Identifier: Apache-2.0
// Goal: an import keeps its promises whatever happens to its process, its store's disk and its
// spool: each object is whole and right, and there for every report that has completed. Method: the
// simulation of engine/simulation.hpp over the report's own steps, with SQLite, the real spool and
// DuckDB; only the API and the sink are simulated, and fail in their own ways. A power cut tears
// the spool, too, of which nothing is ever synced. WHERRY_SEED=n runs that seed alone.
#include <cstdlib>
#include <map>
#include <optional>
#include <random>

#include "house.hpp"
#include "wherry/csp/sleep.hpp"
#include "wherry/engine/simulation.hpp"
#include "wherry/store/sqlite.hpp"

using namespace wherry;
using namespace wherry::app;
using namespace wherry::app::testing;
using namespace std::chrono_literals;

namespace {

constexpr int clients = 4;
constexpr std::string_view header = "day,name,amount\n";

std::string row_of(const std::string& client, int i) {
  return "2025-01-31," + client + "-" + std::to_string(i) + "," + std::to_string(i) + "\n";
}

std::string rows_of(const std::string& client) {
  return row_of(client, 1) + row_of(client, 2) + row_of(client, 3);
}

/// Where reports are, and whether one answer holds them.
enum class api_kind { lying, requested, in_pieces };

bool one_in(std::uint64_t count) { return wherry::detail::draw() % count == 0; }

std::optional<source_error> refusal() {
  using enum source_error::meaning;
  if (one_in(10)) return source_error{throttled, 5s, "slow down"};
  if (one_in(10)) return source_error{transient, {}, "bad gateway"};
  return std::nullopt;
}

/// Answers late, not now, in part, or with the report. It lives on when we crash: what it makes on
/// request it goes on to make, though it may lose it; and its answer to the request may be lost.
class simulated_api final : public report_source {
 public:
  task<std::expected<std::string, source_error>> request(client of, day, std::string) override {
    co_await sleep_for(50ms);
    if (auto no = refusal()) co_return std::unexpected(*no);
    auto& made = made_[of.id];
    if (made.id.empty()) {
      made = {.id = "r-" + std::to_string(++ids_),
              .ready = scheduler::current().system_now() + 30s};
    }
    if (one_in(10))
      co_return std::unexpected(
          source_error{source_error::meaning::transient, {}, "the answer is lost"});
    co_return made.id;
  }

  task<std::expected<remote_progress, source_error>> poll(client of, day,
                                                          std::string remote) override {
    using is = remote_progress::is;
    co_await sleep_for(20ms);
    if (auto no = refusal()) co_return std::unexpected(*no);
    auto& made = made_[of.id];
    if (one_in(30)) made = {};  // it broke down there
    if (made.id != remote) co_return remote_progress{is::gone, {}, "no such report"};
    if (scheduler::current().system_now() < made.ready) co_return remote_progress{};
    co_return remote_progress{is::ready, {of.id, false}, {}};
  }

  task<std::expected<download, source_error>> fetch(remote_place from,
                                                    spool_writer& into) override {
    return fetch(client{.id = std::move(from.url), .account = {}, .currency = {}, .timezone = {}},
                 {}, into);
  }

  task<std::expected<download, source_error>> fetch(client of, day, spool_writer& into) override {
    co_return co_await send(std::string(header) + rows_of(of.id), into);
  }

  // A row a page; all three rows at once are too much.
  task<std::expected<page, source_error>> fetch_page(client of, day, asked_page which,
                                                     std::optional<remote_place>,
                                                     spool_writer& into) override {
    if (which.part.size() > 3) {
      co_return std::unexpected(source_error{source_error::meaning::split, {}, "too large"});
    }
    const std::size_t at = which.next.empty() ? 0 : std::stoul(which.next);
    const int row = which.part[at] - '0';
    auto got = co_await send(std::string(header) + row_of(of.id, row), into);
    if (!got) co_return std::unexpected(got.error());
    const bool is_last = at + 2 > which.part.size();
    co_return page{got->file, is_last ? std::string() : std::to_string(at + 2)};
  }

  [[nodiscard]] int reports_made() const { return ids_; }

 private:
  task<std::expected<download, source_error>> send(std::string body, spool_writer& into) {
    using enum source_error::meaning;
    co_await sleep_for(50ms);
    if (auto no = refusal()) co_return std::unexpected(*no);
    const bool is_cut = one_in(10);
    const auto written = into.write(is_cut ? body.substr(0, body.size() / 2) : body);
    co_await sleep_for(20ms);
    if (is_cut) co_return std::unexpected(source_error{transient, {}, "the connection was closed"});
    auto file = into.finish();
    if (!written || !file) co_return std::unexpected(source_error{transient, {}, "no spool"});
    co_return download{.file = *file};
  }

  struct made_report {
    std::string id;
    system_time ready{};
  };
  std::map<std::string, made_report> made_;  // by client
  int ids_ = 0;
};

/// Keeps objects, also when it then says that it failed.
class simulated_sink final : public object_sink {
 public:
  simulated_sink(std::map<std::string, std::string>& objects, spool& from)
      : objects_(objects), spool_(from) {}

  task<std::expected<stored_object, sink_error>> put(object_to_put what) override {
    using enum sink_error_kind;
    co_await sleep_for(30ms);
    if (one_in(10)) co_return std::unexpected(sink_error{throttled, "slow down", 2s});
    if (one_in(10)) co_return std::unexpected(sink_error{transient, "internal error", {}});
    auto bytes = spool_.read(what.file);
    if (!bytes) co_return std::unexpected(sink_error{damaged, bytes.error().message, {}});
    objects_[what.of.id] = *bytes;
    if (one_in(10)) co_return std::unexpected(sink_error{transient, "the answer is lost", {}});
    co_return stored_object{"sim://" + what.of.id, what.file.size_bytes, what.file.sha256};
  }
  task<std::expected<void, sink_error>> remove(client of, day, object_role) override {
    objects_.erase(of.id);
    co_return {};
  }

 private:
  std::map<std::string, std::string>& objects_;
  spool& spool_;
};

/// The store's disk, with the spool on it.
class disk_with_spool final : public simulated_disk {
 public:
  explicit disk_with_spool(const std::filesystem::path& directory)
      : spool_(directory / "spool"), store_(simulated_sqlite_disk(directory)) {}
  std::expected<std::unique_ptr<store>, store_error> open() override { return store_->open(); }
  void fail_at(std::size_t write) override { store_->fail_at(write); }
  bool has_failed() const noexcept override { return store_->has_failed(); }
  void restart(bool power_cut, std::uint64_t random) override {
    store_->restart(power_cut, random);
    if (!power_cut || !std::filesystem::exists(spool_)) return;
    std::mt19937_64 draws(random);
    std::vector<std::filesystem::path> files;
    for (const auto& each : std::filesystem::directory_iterator(spool_)) {
      if (!each.path().filename().string().starts_with(".")) files.push_back(each.path());
    }
    std::ranges::sort(files);
    for (const auto& each : files) {
      const auto what = draws() % 3;
      if (what == 0) std::filesystem::remove(each);
      if (what == 1) std::filesystem::resize_file(each, std::filesystem::file_size(each) / 2);
    }
  }

 private:
  std::filesystem::path spool_;
  std::unique_ptr<simulated_disk> store_;
};

/// What survives: a directory, and the objects. And what each life makes anew: the parts.
class simulated_import {
 public:
  explicit simulated_import(api_kind api) {
    for (int i = 0; i < clients; ++i) {
      const auto id = "c" + std::to_string(i);
      spec_.clients.push_back({.id = id, .account = id, .currency = "", .timezone = "UTC"});
    }
    spec_.source.url = "http://nowhere/{client}/{day}.csv";
    if (api == api_kind::in_pieces) {
      spec_.source.pages.emplace();
      spec_.source.split.emplace().values = {"1", "2", "3"};
    }
    if (api == api_kind::requested) {
      spec_.source.request.emplace();
      auto& poll = spec_.source.poll.emplace();
      poll.every = 10s;
      poll.give_up = 10min;
    }
    spec_.source.limit = {.lane = "api", .in_flight = 2};
    spec_.source.columns = {{"day", "date"}, {"name", "varchar"}, {"amount", "bigint"}};
    spec_.sink.url = "file:///nowhere/{day}/{client}.csv";
    spec_.sink.limit = {.lane = "sink", .in_flight = 2};
    spec_.retry.first = 1s;
    spec_.retry.cap = 30s;
  }

  simulation_result run(std::uint64_t seed) {
    simulation_options options{
        .seed = seed, .disk = [this] { return std::make_unique<disk_with_spool>(at_.path); }};
    options.engine = options_of(spec_);
    options.engine.rescue_every = 5s;
    options.lives = 4;
    options.faults.command = 0;  // a report that somebody cancels has no object
    options.check = [this](const auto& machines) { return wrong_with(machines); };
    std::vector<engine<report>::start> wanted;
    for (const auto& each : spec_.clients) {
      wanted.push_back(
          {.id = each.id + "/2025-01-31", .first = report::first(spec_, each.id, "2025-01-31")});
    }
    return simulate<report>(options, [this] { return make_report(); }, wanted);
  }

  [[nodiscard]] int reports_made() const { return source_.reports_made(); }

 private:
  report make_report() {
    sink_.reset();
    transformer_.reset();
    spool_.reset();
    auto opened = spool::open(at_.path / "spool", spec_.spool_budget_bytes);
    REQUIRE(opened.has_value());
    spool_ = std::move(*opened);
    auto made = transformer::open(spec_.source, spec_.transform, spec_.sink,
                                  {.directory = spool_->directory().native()});
    REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().message));
    transformer_ = std::move(*made);
    sink_.emplace(objects_, *spool_);
    return report{{spec_, source_, *spool_, *transformer_, *sink_}};
  }

  [[nodiscard]] std::string wrong_with(const std::vector<machine_view>& machines) const {
    for (const auto& [client, bytes] : objects_) {
      const auto wanted = std::string(header) + rows_of(client);
      if (bytes != wanted) return "the object of " + client + " is wrong: " + bytes;
    }
    for (const auto& each : machines) {
      const auto client = each.id.substr(0, each.id.find('/'));
      if (each.phase == phase::completed && !objects_.contains(client)) {
        return each.id + " has completed and has no object";
      }
    }
    return {};
  }

  scratch at_;
  app::spec spec_;
  std::map<std::string, std::string> objects_;  // by client
  simulated_api source_;
  std::unique_ptr<spool> spool_;
  std::unique_ptr<transformer> transformer_;
  std::optional<simulated_sink> sink_;
};

/// Runs the seeds, or the one that WHERRY_SEED names; how many reports the API made at most.
int check_seeds(api_kind api) {
  const char* const only = std::getenv("WHERRY_SEED");
  const std::uint64_t first = only != nullptr ? std::stoull(only) : 1;
  const std::uint64_t last = only != nullptr ? first : 40;
  std::uint64_t crashes = 0;
  int most = 0;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    simulated_import subject(api);
    const auto seen = subject.run(seed);
    REQUIRE_MESSAGE(seen.held(), seen.to_string());
    crashes += seen.crashes;
    most = std::max(most, subject.reports_made());
  }
  if (only == nullptr) CHECK(crashes > 0);
  return most;
}

}  // namespace

TEST_SUITE("report.hpp: simulation") {
  TEST_CASE("an import keeps its promises through crashes, power cuts and failing partners") {
    CHECK(check_seeds(api_kind::lying) == 0);
  }

  TEST_CASE("an import of reports that the API makes on request keeps its promises, too") {
    CHECK(check_seeds(api_kind::requested) > 0);
  }

  TEST_CASE("an import of reports in pages and parts keeps its promises, too") {
    CHECK(check_seeds(api_kind::in_pieces) == 0);
  }
}
