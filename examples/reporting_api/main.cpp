// SPDX-License-Identifier: Apache-2.0
// reporting_api: serves a reporting API over HTTP from real records (npm package vega-datasets),
// with faults on demand. It stands where an import's real API would, for the demo and the fault
// tests.
//
//   GET /v1/{dataset}/clients                             the clients and their range of days, JSON
//   GET /v1/{dataset}/clients/{client}/reports/{day}.csv  one report
//   POST /v1/{dataset}/reports                            asks for a report; 202 and its id, or 425
//   GET /v1/{dataset}/reports/{id}                        whether it is ready, and where, JSON
//   GET /made/{link}                                      a report that was ready, for a while
//   GET /v1/endless/{anything}                            a body without end (with --endless)
//   /sync-quota/… /error-quota/… /run-id/… /duplicate/…   APIs that behave as real ones do:
//   /error-code/… /slots/… /expiring/…                    behaviours.hpp, README.md
//   GET /stats                                            what was answered how often, JSON
//   GET /stats/{behaviour}                                what only that behaviour counts, JSON
//   GET /requests                                         how often each report was asked for, JSON
//
// SIGTERM and SIGINT stop it: no new connection, bodies under way end, idle connections close
// within two seconds, exit 0.

#include "api.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <map>
#include <string>
#include <thread>

namespace {

const std::map<std::string, int> units{{"ms", 1}, {"s", 1000}};

void add_behaviours(CLI::App& app, example::behaviour_options& how) {
  const auto number = [&](const char* name, auto& value, const char* what) {
    app.add_option(name, value, what)->check(CLI::Range(0, 1'000'000'000))->group("Behaviours");
  };
  const auto span = [&](const char* name, auto& value, const char* what) {
    app.add_option(name, value, what)->transform(CLI::AsNumberWithUnit(units))->group("Behaviours");
  };
  number("--quota", how.quota, "calls of an account in a window; 0: any number");
  span("--quota-window", how.quota_window, "how long such a window is: 2s by default");
  number("--concurrent", how.concurrent, "calls of an account at once; 10 by default");
  number("--error-quota", how.error_quota, "5xx in a window before all is refused; 10 by default");
  span("--outage", how.outage, "how long each account of /error-quota/ is down, once");
  number("--outage-after", how.outage_after, "requests of an account before that; 10 by default");
  number("--slots", how.slots, "reports that /slots/ makes at once; 3 by default");
  number("--page-size", how.page_size, "rows of a page, if it is not asked for; 100 by default");
  number("--most-rows", how.most_rows, "rows of a report that /run-id/ or /expiring/ can give");
  span("--report-life", how.report_life, "how long /expiring/ keeps a report; without end if 0");
  app.add_option("--poll-401", how.poll_401, "share of polls of /duplicate/ answered with 401")
      ->check(CLI::Range(0.0, 1.0))
      ->group("Behaviours");
}

/// Reads the command line, or ends the program with its help.
example::options parse(int count, char** arguments) {
  example::options o;
  CLI::App app{"Serves a reporting API from real records, with faults on demand."};
  app.add_option("--data", o.data, "folder of vega-datasets' files")->check(CLI::ExistingDirectory);
  app.add_option("--host", o.host, "address to bind")->capture_default_str();
  app.add_option("--port", o.port, "0: any free one")->check(CLI::Range(0, 65535));
  app.add_option("--port-file", o.port_file, "write the port there once it listens");
  app.add_option("--token", o.token, "ask for Authorization: Bearer <token>");
  app.add_option("--connections", o.connections, "connections served at once");
  app.add_option("--seed", o.seed, "of all faults")->capture_default_str();
  app.add_option("--latency", o.latency, "before each answer, with jitter of half: 50ms, 1s")
      ->transform(CLI::AsNumberWithUnit(units));
  app.add_option_function<std::string>(
      "--rate", [&o](const std::string& text) { o.rate = std::stod(text); },
      "reports a second and dataset before 429: 200/s");
  const auto span = [&app](const char* name, auto& value, const char* what) {
    app.add_option(name, value, what)->transform(CLI::AsNumberWithUnit(units));
  };
  span("--make", o.making.takes, "how long a report takes that was asked for: 500ms by default");
  span("--link-life", o.making.link_life, "how long its address is good: 2s by default");
  const auto share = [&app](const char* name, double& value, const char* what) {
    app.add_option(name, value, what)->check(CLI::Range(0.0, 1.0));
  };
  share("--error-503", o.shares.unavailable, "share answered with 503");
  share("--cut", o.shares.cut, "share of bodies cut short");
  share("--slow", o.shares.slow, "share of bodies that drip for about four seconds");
  share("--empty", o.shares.empty, "share of bodies of zero bytes");
  share("--malformed", o.shares.malformed, "share of bodies that are no CSV");
  share("--fail", o.making.failed, "share of reports that were asked for and fail");
  add_behaviours(app, o.behave);
  app.add_flag("--endless", o.endless, "serve /v1/endless/");
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error) == 0 ? 0 : 2);
  }
  return o;
}

/// Calls `stop` once SIGTERM or SIGINT has arrived, again and again until `finished`: it has no
/// effect before the server listens. The signals must be blocked in every thread.
void stop_on_signal(const sigset_t& ending, example::reporting_api& api,
                    const std::atomic<bool>& finished) {
  int signal = 0;
  sigwait(&ending, &signal);
  while (!finished) {
    api.stop();
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
}

}  // namespace

int main(int count, char** arguments) {
  try {
    example::reporting_api api{parse(count, arguments)};
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ending, nullptr);  // inherited by the server's threads
    std::atomic<bool> finished{false};
    std::thread waiter{[&] { stop_on_signal(ending, api, finished); }};
    std::exception_ptr failure;
    try {
      api.run();
    } catch (...) {
      failure = std::current_exception();
    }
    finished = true;
    kill(getpid(), SIGTERM);  // where none came: lets the waiter end
    waiter.join();
    if (failure) std::rethrow_exception(failure);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "reporting_api: {}\n", error.what());
    return 1;
  }
}
