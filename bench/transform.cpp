// SPDX-License-Identifier: Apache-2.0
// What one report costs in CPU: 200 rows x 15 columns (the report of bench/peers' upstream) through
// SQL with convert_currency and convert_unit, from CSV into csv.gz, csv.zst, csv and Parquet; and
// into csv from JSON lines and from JSON, which is made CSV first.
//
//   bench_transform [reports [number of the variant]]
//
// Counted: CPU time of the process (user and system) over all reports, divided by their number,
// with one thread and with two; the file is read from, and written to, a directory in /tmp.

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "transform/csv_reader.hpp"
#include "transform/transformer.hpp"

namespace {

using namespace wherry::app;

double cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// The same distribution of values as bench/peers' upstream serves.
std::string report() {
  constexpr const char* names[] = {
      "Brand - exact",   "\"Brand, broad\"",      "Generic | Shoes", "\"Sale \"\"Summer\"\" 2025\"",
      "Retargeting 30d", "\"Düsseldorf, lokal\"", "Competitors",     "Performance Max"};
  constexpr const char* currencies[] = {"EUR", "GBP", "USD", "JPY", "CHF", "SEK", "AUD", "CAD"};
  constexpr const char* countries[] = {"DE", "GB", "US", "JP", "CH", "SE", "AU", "CA", "FR", "NL"};
  constexpr const char* devices[] = {"DESKTOP", "MOBILE", "TABLET", "CONNECTED_TV"};
  std::uint64_t state = 12345;
  const auto next = [&state](unsigned below) {
    state = (state * 1103515245 + 12345) % 2147483648;
    return static_cast<unsigned>(state / 65536 % below);
  };
  std::string text =
      "day,client,campaign_id,campaign_name,ad_group,country,device,currency,impressions,clicks,"
      "cost_micros,"
      "conversions,conversion_value,distance_miles,avg_position\n";
  for (unsigned i = 1; i <= 200; ++i) {
    text +=
        fmt::format("2001-03-12,c00042,{},{},ag-{:04},{},{},{},{},{},{},{},{:.2f},{:.3f},{:.1f}\n",
                    1'000'000 + next(9000) * 7 + i, names[next(8)], next(10000),
                    countries[next(10)], devices[next(4)], currencies[next(8)], next(30000),
                    next(900), next(30000) * 1000 + next(1000), next(50), next(30000) / 100.0,
                    next(30000) / 1000.0 + next(300), 1 + next(90) / 10.0);
  }
  return text;
}

// The same as JSON objects, one a line, or as the rows of one document.
std::string as_json(const std::string& csv, bool lines) {
  csv_reader reader(csv);
  std::vector<csv_field> names;
  std::vector<csv_field> row;
  std::string text = lines ? "" : R"({"data":{"list":[)";
  if (!reader.next(names)) std::abort();
  for (bool first = true;; first = false) {
    const auto more = reader.next(row);
    if (!more || !*more) break;
    if (!first) text += lines ? "\n" : ",";
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::string value;
      append_unquoted(value, row[i].text);
      std::string escaped;
      for (const char c : value) escaped += c == '"' ? std::string("\\\"") : std::string(1, c);
      text += fmt::format("{}\"{}\":\"{}\"", i == 0 ? '{' : ',', names[i].text, escaped);
    }
    text += '}';
  }
  return text + (lines ? "\n" : "]}}");
}

source declared(report_format::kind type) {
  source from;
  from.format.type = type;
  if (type == report_format::kind::json) from.format.rows = "data.list";
  from.columns = {{"day", "date"},
                  {"client", "varchar"},
                  {"campaign_id", "bigint"},
                  {"campaign_name", "varchar"},
                  {"ad_group", "varchar"},
                  {"country", "varchar"},
                  {"device", "varchar"},
                  {"currency", "varchar"},
                  {"impressions", "bigint"},
                  {"clicks", "bigint"},
                  {"cost_micros", "bigint"},
                  {"conversions", "bigint"},
                  {"conversion_value", "decimal(18,2)"},
                  {"distance_miles", "double"},
                  {"avg_position", "double"}};
  return from;
}

transform conversion(const std::string& rates, int threads) {
  transform how;
  how.sql =
      "select day, client, campaign_id, campaign_name, ad_group, country, device, currency, "
      "impressions, clicks,"
      " convert_currency(cost_micros * 0.000001, currency, 'USD', day) as cost_usd, conversions, "
      "conversion_value,"
      " convert_unit(distance_miles, 'mile', 'km') as distance_km, avg_position from report";
  how.columns = declared(report_format::kind::csv).columns;
  how.columns[10] = {"cost_usd", "decimal(18,6)"};
  how.columns[13] = {"distance_km", "double"};
  how.rates = rates;
  how.threads = threads;
  return how;
}

struct variant {
  const char* name;
  file_format format;
  compression codec;
  int threads;
  report_format::kind from = report_format::kind::csv;
};

void measure(const variant& what, const std::string& rates, const std::filesystem::path& directory,
             int reports) {
  sink to;
  to.format = what.format;
  to.compression = what.codec;
  auto opened = transformer::open(declared(what.from), conversion(rates, what.threads), to,
                                  {directory.string(), "512MB"});
  if (!opened) {
    fmt::print(stderr, "{}\n", opened.error().message);
    std::exit(1);
  }
  std::uint64_t size = 0;
  const auto input =
      directory / fmt::format("report.{}", static_cast<int>(what.from));  // as main wrote them
  const auto convert = [&](int thread, int count) {
    for (int i = 0; i < count; ++i) {
      const auto output = directory / fmt::format("out-{}", thread);
      const auto done = (*opened)->run({"c00042", "2001-03-12", input, output});
      if (!done) {
        fmt::print(stderr, "{}\n", done.error().message);
        std::exit(1);
      }
      if (thread == 0) size = done->size_bytes;
      std::filesystem::remove(output);
    }
  };
  convert(0, reports / 10);
  const double before = cpu_ms();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < what.threads; ++t) threads.emplace_back(convert, t, reports / what.threads);
  }
  fmt::print("{:<8} {} thread{} {:6.3f} ms CPU a report, {} bytes out\n", what.name, what.threads,
             what.threads == 1 ? " " : "s", (cpu_ms() - before) / reports, size);
}

}  // namespace

int main(int count, char** arguments) {
  const std::string rates =
      std::string(WHERRY_SOURCE_DIRECTORY) + "/examples/data/eurofxref-excerpt.csv";
  const int reports = count > 1 ? std::atoi(arguments[1]) : 2000;
  auto directory = std::filesystem::temp_directory_path() / "wherry-bench-transform";
  std::filesystem::create_directories(directory);
  using kind = report_format::kind;
  const auto file = [&](kind of) {
    return directory / fmt::format("report.{}", static_cast<int>(of));
  };
  std::ofstream(file(kind::csv)) << report();
  std::ofstream(file(kind::json)) << as_json(report(), false);
  std::ofstream(file(kind::jsonl)) << as_json(report(), true);
  const int only = count > 2 ? std::atoi(arguments[2]) : -1;
  int index = 0;
  for (const auto& what :
       {variant{"csv.gz", file_format::csv, compression::gzip, 1},
        variant{"csv.gz", file_format::csv, compression::gzip, 2},
        variant{"csv.zst", file_format::csv, compression::zstd, 1},
        variant{"csv", file_format::csv, compression::none, 1},
        variant{"parquet", file_format::parquet, compression::none, 1},
        variant{"of json", file_format::csv, compression::none, 1, kind::json},
        variant{"of jsonl", file_format::csv, compression::none, 1, kind::jsonl}}) {
    if (only < 0 || only == index++) measure(what, rates, directory, reports);
  }
  std::filesystem::remove_all(directory);
}
