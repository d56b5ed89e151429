// SPDX-License-Identifier: Apache-2.0
#include "transform/transformer.hpp"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include <fmt/format.h>

#include "transform/functions.hpp"
#include "transform/lane.hpp"
#include "transform/lookup.hpp"
#include "transform/shown_text.hpp"

namespace wherry::app {

using kind = transform_error::kind;

namespace {

report_subject subject_of(const transform_job& job) {
  const auto day = parse_date(job.day);
  return {.client = job.client,
          .account = job.account,
          .currency = job.currency,
          .timezone = job.timezone,
          .day = day.value_or(0),
          .is_known = day.has_value()};
}

}  // namespace

// Members are destroyed from the last: connections before the database, the database before what
// its functions look things up in.
class transformer::body {
 public:
  body(const source& source, const app::transform& transform, const app::sink& sink,
       transform_options options)
      : transform_(transform),
        sink_(sink),
        options_(std::move(options)),
        cover_(transform.variables),
        sniffs_(source.columns.empty()),
        max_report_bytes_(source.max_size_bytes) {}

  std::expected<void, transform_error> open(const source& source);

  std::expected<transform_result, transform_error> run_file(const transform_job& job,
                                                            const std::stop_token& stop);
  std::expected<transform_result, transform_error> run_text(std::string_view report,
                                                            const transform_job& job,
                                                            const std::stop_token& stop);
  std::expected<transform_preview, transform_error> preview(const transform_job& job,
                                                            std::size_t rows);
  std::vector<column> result_columns() const { return plan_.columns; }

  /// What leaves this file goes through here.
  template <class Value>
  std::expected<Value, transform_error> covered(std::expected<Value, transform_error> done) const {
    if (!done) done.error().message = cover_.covered(done.error().message);
    return done;
  }

 private:
  // A lane for one run, which a stop request interrupts; after it the lane is another's.
  class lease {
   public:
    lease(body& owner, const std::stop_token& stop)
        : owner_(owner),
          lane_(owner.take(stop)),
          on_stop_(std::in_place, stop, interruption{lane_}) {}
    ~lease() {
      on_stop_.reset();  // waits for an interruption under way
      if (lane_ == nullptr) return;
      lane_->end();
      owner_.put(*lane_);
    }
    lease(const lease&) = delete;
    lease& operator=(const lease&) = delete;
    explicit operator bool() const { return lane_ != nullptr; }
    transform_lane& operator*() const { return *lane_; }
    transform_lane* operator->() const { return lane_; }

   private:
    struct interruption {
      transform_lane* lane;
      void operator()() const noexcept {
        if (lane != nullptr) lane->interrupt();
      }
    };
    body& owner_;
    transform_lane* const lane_;  // null: stopped while it waited for one
    std::optional<std::stop_callback<interruption>> on_stop_;
  };

  transform_lane* take(const std::stop_token& stop);
  std::expected<result_plan, transform_error> load(transform_lane& lane, report_bytes report,
                                                   const std::string& input);
  std::expected<transform_result, transform_error> sift_and_run(transform_lane& lane,
                                                                const result_plan& plan,
                                                                const transform_job& job);
  void put(transform_lane& lane);
  std::expected<void, transform_error> look_things_up();
  std::expected<void, transform_error> check_first();
  std::expected<void, transform_error> add_lanes();
  database_options for_database() const { return {options_.directory, memory_limit()}; }
  std::string memory_limit() const {
    if (!options_.memory_limit.empty()) return options_.memory_limit;
    return fmt::format("{}MB", std::max(512, 64 * transform_.threads));
  }

  app::transform transform_;
  app::sink sink_;
  transform_options options_;
  error_cover cover_;
  bool sniffs_;
  std::uint64_t max_report_bytes_;
  std::unique_ptr<units> units_;
  std::optional<rates> rates_;
  report_subjects subjects_;
  std::unique_ptr<report_table> table_;
  result_plan plan_;  // empty when columns are guessed
  database_handle database_;
  std::vector<std::unique_ptr<transform_lane>> lanes_;

  std::mutex mutex_;
  std::condition_variable_any free_again_;
  std::vector<transform_lane*> free_;
};

std::expected<void, transform_error> transformer::body::look_things_up() {
  auto opened = units::open();
  if (!opened) return failure(kind::unit, std::move(opened.error()));
  units_ = std::move(*opened);
  if (transform_.rates.empty()) return {};
  auto loaded = rates::load(transform_.rates);
  if (!loaded) return failure(kind::currency, std::move(loaded.error()));
  rates_ = std::move(*loaded);
  return {};
}

std::expected<void, transform_error> transformer::body::open(const source& source) {
  if (options_.directory.empty() && (sniffs_ || sink_.format == file_format::parquet)) {
    return failure(kind::io,
                   "no directory for DuckDB's files. Parquet and undeclared columns need "
                   "transform_options::directory");
  }
  if (auto found = look_things_up(); !found) return found;
  auto database = open_database(for_database());
  if (!database) return std::unexpected(std::move(database.error()));
  database_ = std::move(*database);
  auto first = connect(database_.get());
  if (!first) return std::unexpected(std::move(first.error()));
  if (!register_functions(first->get(), {units_.get(), rates_ ? &*rates_ : nullptr, &subjects_})) {
    return failure(kind::sql, "DuckDB refuses Wherry's functions");
  }
  for (const auto& each : transform_.tables) {
    if (auto loaded = load_lookup_table(first->get(), each); !loaded) return loaded;
  }
  auto columns = plan_report(first->get(), source.columns);
  if (!columns) return std::unexpected(std::move(columns.error()));
  table_ = std::make_unique<report_table>(report_shape{std::move(*columns), source.format});
  if (!sniffs_) {
    if (auto installed = table_->install(first->get()); !installed) {
      return failure(kind::columns, fmt::format("[source] columns: {}", installed.error()));
    }
  }
  if (auto locked = lock_down(first->get(), for_database()); !locked) return locked;
  if (auto added = add_lanes(); !added) return added;
  return check_first();
}

std::expected<void, transform_error> transformer::body::add_lanes() {
  for (int i = 0; i < std::max(1, transform_.threads); ++i) {
    auto connection = connect(database_.get());
    if (!connection) return std::unexpected(std::move(connection.error()));
    lanes_.push_back(std::make_unique<transform_lane>(
        std::move(*connection), table_->shape(),
        transform_lane::output_options{sink_.format, sink_.compression, options_.directory,
                                       max_report_bytes_}));
    table_->attach(lanes_.back()->connection(), lanes_.back()->input());
    subjects_.attach(lanes_.back()->connection(), lanes_.back()->subject());
    free_.push_back(lanes_.back().get());
  }
  return {};
}

std::expected<void, transform_error> transformer::body::check_first() {
  const auto connection = lanes_.front()->connection();
  if (sniffs_) return check_syntax(connection, transform_);
  auto plan = plan_result(connection, transform_);
  if (!plan) return std::unexpected(std::move(plan.error()));
  plan_ = std::move(*plan);
  for (const auto& lane : lanes_) {
    if (auto ready = lane->prepare_for(plan_); !ready) return ready;
    if (!transform_.bad_rows) continue;
    if (auto ready = lane->prepare_sieve(table_->uncastable_rows()); !ready) return ready;
  }
  return {};
}

transform_lane* transformer::body::take(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (!free_again_.wait(lock, stop, [this] { return !free_.empty(); })) return nullptr;
  transform_lane* const lane = free_.back();
  free_.pop_back();
  lane->begin();
  return lane;
}

void transformer::body::put(transform_lane& lane) {
  {
    const std::lock_guard lock(mutex_);
    free_.push_back(&lane);
  }
  free_again_.notify_one();
}

std::expected<transform_result, transform_error> transformer::body::run_text(
    std::string_view report, const transform_job& job, const std::stop_token& stop) {
  if (sniffs_) {
    return failure(kind::columns,
                   "a report in memory needs declared columns. Set [source] columns");
  }
  const lease lane(*this, stop);
  if (!lane) return failure(kind::interrupted, "interrupted");
  lane->set_subject(subject_of(job));
  if (auto loaded = lane->load({report}); !loaded)
    return std::unexpected(std::move(loaded.error()));
  return sift_and_run(*lane, plan_, job);
}

std::expected<transform_result, transform_error> transformer::body::run_file(
    const transform_job& job, const std::stop_token& stop) {
  const lease lane(*this, stop);
  if (!lane) return failure(kind::interrupted, "interrupted");
  const auto file = report_file::open(job.input, lane->report_buffer());
  if (!file) return std::unexpected(file.error());
  lane->set_subject(subject_of(job));
  const auto plan = load(*lane, file->bytes(), job.input);
  if (!plan) return std::unexpected(plan.error());
  return sift_and_run(*lane, sniffs_ ? *plan : plan_, job);
}

// Requires: a lane with its report. A run that fails leaves no rows put aside either.
std::expected<transform_result, transform_error> transformer::body::sift_and_run(
    transform_lane& lane, const result_plan& plan, const transform_job& job) {
  if (!transform_.bad_rows) return lane.run(plan, job, sniffs_);
  const auto rejected = lane.sift(*transform_.bad_rows, job.rejected);
  if (!rejected) return std::unexpected(rejected.error());
  auto result = lane.run(plan, job, sniffs_);
  if (result) {
    result->rejected_rows = *rejected;
    result->rows_in += *rejected;
  } else if (*rejected > 0 && !job.rejected.empty()) {
    ::unlink(job.rejected.c_str());
  }
  return result;
}

// Gives a lane its report. Returns the plan for it, where columns are guessed.
std::expected<result_plan, transform_error> transformer::body::load(transform_lane& lane,
                                                                    report_bytes report,
                                                                    const std::string& input) {
  if (report.text.empty()) return failure(kind::data, report_input::empty_report);
  if (sniffs_) return lane.sniff(report, input, transform_);
  if (auto loaded = lane.load(report); !loaded) return std::unexpected(std::move(loaded.error()));
  return result_plan{};
}

std::expected<transform_preview, transform_error> transformer::body::preview(
    const transform_job& job, std::size_t rows) {
  const lease lane(*this, {});
  const auto file = report_file::open(job.input, lane->report_buffer());
  if (!file) return std::unexpected(file.error());
  lane->set_subject(subject_of(job));
  const auto plan = load(*lane, file->bytes(), job.input);
  if (!plan) return std::unexpected(plan.error());
  if (transform_.bad_rows) {
    if (auto sifted = lane->sift(*transform_.bad_rows, {}); !sifted) {
      return std::unexpected(std::move(sifted.error()));
    }
  }
  return lane->preview(sniffs_ ? *plan : plan_, rows);
}

transformer::transformer(std::unique_ptr<body> opened) : body_(std::move(opened)) {}
transformer::~transformer() = default;

std::expected<std::unique_ptr<transformer>, transform_error> transformer::open(
    const source& source, const transform& transform, const sink& sink, transform_options options) {
  auto opened = std::make_unique<body>(source, transform, sink, std::move(options));
  if (auto ready = opened->covered(opened->open(source)); !ready) {
    return std::unexpected(std::move(ready.error()));
  }
  return std::unique_ptr<transformer>(new transformer(std::move(opened)));
}

std::expected<transform_result, transform_error> transformer::run(const transform_job& job,
                                                                  const std::stop_token& stop) {
  auto result = body_->covered(body_->run_file(job, stop));
  if (!result) {
    result.error().message =
        fmt::format("report of {} for {}: {}", job.client, job.day, result.error().message);
  }
  return result;
}

std::expected<transform_result, transform_error> transformer::run(std::string_view report,
                                                                  const transform_job& job,
                                                                  const std::stop_token& stop) {
  return body_->covered(body_->run_text(report, job, stop));
}

std::expected<transform_result, transform_error> transformer::run(std::string_view report,
                                                                  const std::string& output,
                                                                  const std::stop_token& stop) {
  return body_->covered(body_->run_text(report, {.client = {}, .day = {}, .output = output}, stop));
}

std::expected<transform_preview, transform_error> transformer::preview(const transform_job& job,
                                                                       std::size_t rows) {
  return body_->covered(body_->preview(job, rows));
}

std::vector<column> transformer::result_columns() const { return body_->result_columns(); }

}  // namespace wherry::app
