// SPDX-License-Identifier: Apache-2.0
// What only the whole spec can tell. Each check looks at fields that were read without a mistake;
// a field that was not is still empty or at its default, and the check is then silent.
#include <map>

#include "spec/clients.hpp"
#include "spec/format_keys.hpp"
#include "spec/pages_keys.hpp"
#include "spec/table.hpp"
#include "spec/warehouse_keys.hpp"

namespace wherry::app::toml_file {
namespace {

const value* item_of(const reader& r, std::size_t client) {
  const auto* list = r.root().find({"import", "clients"});
  return list != nullptr && client < list->items.size() ? &list->items[client] : nullptr;
}

place place_of_client(const reader& r, std::size_t client) {
  const auto* item = item_of(r, client);
  if (item == nullptr) return {1, 1};
  const auto* id = item->find({"id"});
  return id != nullptr ? id->begin : item->begin;
}

void check_ids(reader& r, const spec& whole) {
  const reader::inside import{r, "import"}, clients{r, "clients"};
  std::map<std::string_view, std::size_t> first;
  for (std::size_t i = 0; i < whole.clients.size(); ++i) {
    const auto& id = whole.clients[i].id;
    if (id.empty()) continue;
    const auto [known, is_new] = first.try_emplace(id, i);
    if (is_new) continue;
    r.wrong(
        place_of_client(r, i), fmt::format("has the client {} twice", in_quotes(id)),
        fmt::format("it is also in line {}: remove one", place_of_client(r, known->second).line));
  }
}

void check_addresses(reader& r, const spec& whole) {
  const reader::inside import{r, "import"}, clients{r, "clients"};
  for (const auto& [client, asker, why] : unfit_clients(whole)) {
    r.report(place_of_client(r, client), fmt::format("{}, which {} asks for", why.message, asker),
             why.remedy);
  }
}

// A report has an address, or it is requested, polled, and then has one.
void check_source(reader& r, const spec& whole) {
  if (r.root().find({"source"}) == nullptr) return;  // that is told already
  const auto& from = whole.source;
  const reader::inside source{r, "source"};
  const auto wrong = [&](const char* key, std::string_view what, std::string remedy) {
    const reader::inside here{r, key};
    r.wrong(r.place_of({"source", key}), what, std::move(remedy));
  };
  const auto is_there = [&](const char* key) { return r.root().find({"source", key}) != nullptr; };
  if (!is_there("url") && !is_there("request")) {
    wrong("url", "is missing",
          R"(write url = "https://host/{client}/{day}.csv", or [source.request])");
  }
  if (is_there("url") && is_there("request")) {
    wrong("request", "and url are both there", "a report that is requested has no url: remove one");
  }
  if (is_there("body") && is_there("request")) {
    wrong("body", "and request are both there",
          "what is sent to request a report stands in the body of [source.request]");
  }
  if (from.poll && !from.poll->url.empty() && !from.poll->url.contains("{report}") &&
      !from.poll->body.contains("{report}")) {
    const reader::inside poll{r, "poll"}, url{r, "url"};
    r.wrong(r.place_of({"source", "poll", "url"}),
            "asks for the same report whatever was requested",
            "put {report} into it, or into the body of [source.poll]");
  }
  if (is_there("poll") && !is_there("request")) {
    wrong("poll", "polls what nothing requests", "add [source.request]");
  }
  if (is_there("request") && !is_there("poll")) {
    wrong("request", "has no [source.poll]",
          R"(add [source.poll] with url = "https://host/reports/{report}")");
  }
  if (from.poll && from.poll->link.empty() == from.poll->download.empty()) {
    wrong(
        "poll",
        from.poll->link.empty() ? "does not say where a report is that is ready"
                                : "has both link and download",
        R"(write link = "url", its path in the answer, or download = "https://host/{report}.csv")");
  }
  if (from.poll && from.poll->link.empty() && from.poll->ready.empty()) {
    wrong("poll", "does not say when a report is ready",
          R"(write ready = { status = "COMPLETED" })");
  }
}

void check_objects(reader& r, const spec& whole) {
  const auto both = same_object(whole);
  if (!both) return;
  const reader::inside sink{r, "sink"}, key{r, "url"};
  r.wrong(r.place_of({"sink", "url"}),
          fmt::format("gives clients {} and {} the same object",
                      in_quotes(whole.clients[both->first].id),
                      in_quotes(whole.clients[both->second].id)),
          "put {client} into it");
}

void check_window(reader& r, const spec& whole) {
  const int most = std::max(whole.source.limit.in_flight, whole.sink.limit.in_flight);
  if (whole.window >= most) return;
  const bool by_source = most == whole.source.limit.in_flight;
  const bool is_written = r.root().find({"import", "window"}) != nullptr;
  const auto limits = by_source ? r.place_of({"source", "limit", "in_flight"})
                                : r.place_of({"sink", "limit", "in_flight"});
  const reader::inside import{r, "import"}, window{r, "window"};
  r.wrong(is_written ? r.place_of({"import", "window"}) : limits,
          fmt::format("is {}{}, less than the {} in flight of [{}.limit]", whole.window,
                      is_written ? "" : " by default", most, by_source ? "source" : "sink"),
          fmt::format("write window = {} or more", most));
}

void check_retry(reader& r, const spec& whole) {
  if (whole.retry.first <= whole.retry.cap) return;
  const bool is_written = r.root().find({"retry", "first"}) != nullptr;
  const reader::inside retry{r, "retry"}, key{r, is_written ? "first" : "cap"};
  r.wrong(is_written ? r.place_of({"retry", "first"}) : r.place_of({"retry", "cap"}),
          is_written ? "is longer than cap" : "is shorter than first",
          "write first = \"500ms\" and a cap of at least that");
}

void check_uploads(reader& r, const sink& to) {
  constexpr auto one_put_limit_bytes = 5ull << 30;  // S3's own
  if (to.multipart_bytes > one_put_limit_bytes) {
    const reader::inside sink{r, "sink"}, key{r, "multipart"};
    r.wrong(r.place_of({"sink", "multipart"}), "is more than S3 takes in one PUT",
            "write 5GiB or less");
  }
  if (!to.kms_key.empty() && to.encryption != encryption::kms) {
    const reader::inside sink{r, "sink"}, key{r, "kms_key"};
    r.wrong(r.place_of({"sink", "kms_key"}), "is a key that nothing uses",
            "write encryption = \"kms\" beside it, or remove it");
  }
}

// Keys that stand in the file stand there together; without any, the machine has some (app/aws).
void check_s3(reader& r, const sink& to) {
  const auto* const section = r.root().find({"sink"});
  if (!to.url.starts_with("s3:") || section == nullptr) return;
  check_uploads(r, to);
  const auto is_there = [&](const char* key) { return section->find({key}) != nullptr; };
  const bool has_id = is_there("access_key"), has_key = is_there("secret_key");
  if (has_id == has_key && (has_id || !is_there("session_token"))) return;
  const char* const missing = has_id ? "secret_key" : "access_key";
  const reader::inside sink{r, "sink"}, here{r, missing};
  r.report(section->begin,
           fmt::format("[sink] has {} without {}",
                       has_id    ? "access_key"
                       : has_key ? "secret_key"
                                 : "session_token",
                       missing),
           fmt::format("write {} = \"${{MY_VARIABLE}}\" too, or neither: then the keys of this "
                       "machine are used",
                       missing));
}

}  // namespace

void check_whole(reader& r, spec& whole) {
  if (whole.source.limit.lane.empty()) whole.source.limit.lane = "{account}";
  if (whole.sink.limit.lane.empty()) whole.sink.limit.lane = "sink";
  check_ids(r, whole);
  check_source(r, whole);
  check_format(r, whole);
  check_addresses(r, whole);
  check_pages(r, whole);
  check_objects(r, whole);
  check_window(r, whole);
  check_retry(r, whole);
  check_s3(r, whole.sink);
  check_warehouse(r, whole);
}

}  // namespace wherry::app::toml_file
