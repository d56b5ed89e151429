// SPDX-License-Identifier: Apache-2.0
// How a report is collected from pages and parts: a page a step, so that a crash costs one page.

#include <algorithm>
#include <utility>

#include "report/collected.hpp"
#include "report/outcomes.hpp"
#include "report/report.hpp"
#include "source/line_rows.hpp"
#include "spec/day.hpp"
#include "spec/template.hpp"
#include "spool/blocking.hpp"

namespace wherry::app {
namespace {

std::uint64_t size_of(const std::vector<spool_file>& pages) {
  std::uint64_t size = 0;
  for (const auto& each : pages) size += each.size_bytes;
  return size;
}

permanent other_header(std::size_t page) {
  return permanent{
      "page " + std::to_string(page) +
      " of the report does not begin with the header of the first; with [source.pages] or "
      "[source.split] each answer has to repeat it, or none has one: ask the API for that, and say "
      "in `source.format` which it is (`header`, `skip`)"};
}

}  // namespace

bool report::comes_in_pieces() const {
  return parts_.spec.source.pages.has_value() || parts_.spec.source.split.has_value();
}

task<report::said> report::step(downloading now, step_context context) {
  const client* const of = find_client(now.client);
  const auto on = parse_day(now.day);
  if (of == nullptr || !on) co_return settled(unknown_report(now.client, now.day), context);
  if (!comes_in_pieces()) {
    co_return settled(go_back<state>{first(parts_.spec, now.client, now.day),
                                     "the spec has neither [source.pages] nor [source.split] any "
                                     "more"},
                      context);
  }
  co_return co_await collect(*of, *on, std::move(now), std::nullopt, context);
}

task<report::said> report::collect(const client& of, day on, downloading now,
                                   std::optional<remote_place> from, const step_context& context) {
  const auto number = now.so_far.pages.size();
  auto writer = parts_.spool.write(number == 0 ? downloaded_key(context.id, context.generation)
                                               : page_key(context.id, context.generation, number),
                                   form_of_rows());
  if (const auto& full = writer.refusal()) {
    co_return outcome_of(*full, first(parts_.spec, now.client, now.day), context.now());
  }
  const auto full = number > 0 ? parts_.spool.refuses(spool_step::page) : std::nullopt;
  if (full) co_return make_way(now, size_of(now.so_far.pages), full->message, context);
  asked_page which{.report = now.report,
                   .part = part_text(parts_.spec.source.split, now.so_far),
                   .next = address_with_variables(now.next, parts_.spec.variables)};
  if (!from) co_await pay_shared(of, context);
  auto got = co_await parts_.source.fetch_page(of, on, std::move(which), std::move(from), writer);
  if (!got) co_return co_await without_rows(std::move(now), std::move(got.error()), context);

  now.so_far.pages.push_back(std::move(got->file));
  now.next = address_without_variables(std::move(got->next), parts_.spec.variables);
  // Pages, the file of them all and an output have to find room together: else it waits for itself.
  if (number > 0 && size_of(now.so_far.pages) > parts_.spool.budget_bytes() / 4) {
    co_return settled(permanent{"the pages of the report are more than a quarter of the spool's "
                                "budget; raise `spool_budget` in [import], now " +
                                std::to_string(parts_.spool.budget_bytes()) +
                                " bytes, to over four times the largest report"},
                      context);
  }
  if (now.next.empty()) co_return co_await end_part(std::move(now), context);
  const auto most = static_cast<std::size_t>(parts_.spec.source.pages->most);
  if (now.so_far.pages.size() >= most) {
    co_return settled(permanent{"the report has more than " + std::to_string(most) +
                                " pages; raise `source.pages.most`, or ask for larger pages"},
                      context);
  }
  co_return std::move(now);
}

// Like a writer that is refused, it gives back all that it holds, so that others go on. Who has the
// spool for itself waits for nobody: then it counts, and ends.
template <class Later>
report::said report::make_way(const Later& now, std::uint64_t its_bytes, std::string why,
                              const step_context& context) const {
  const bool is_alone = parts_.spool.used_bytes() <= its_bytes;
  return settled(
      go_back<state>{again(now, context), std::move(why),
                     is_alone ? std::nullopt : std::optional(context.now() + spool_full_wait)},
      context);
}

template report::said report::make_way(const transformable& now, std::uint64_t its_bytes,
                                       std::string why, const step_context& context) const;

report::said report::begin_part(downloading now) const {
  if (parts_.spec.source.request) {
    return requestable{std::move(now.client), std::move(now.day), std::move(now.so_far)};
  }
  now.next.clear();
  return now;
}

task<report::said> report::end_part(downloading now, const step_context& context) {
  now.so_far = with_part_complete(std::move(now.so_far));
  if (!now.so_far.parts.empty()) co_return begin_part(std::move(now));
  auto& pages = now.so_far.pages;
  if (pages.empty()) co_return co_await no_rows(now.client, now.day, context);
  if (pages.size() == 1) {
    co_return transformable{now.client, now.day, std::move(pages.front()), now.report};
  }
  auto whole = co_await blocking([&](const std::stop_token& stop) {
    return join(pages, joined_key(context.id, context.generation), stop);
  });
  if (!whole) {
    if (auto* const wrong = std::get_if<permanent>(&whole.error())) {
      co_return settled(std::move(*wrong), context);
    }
    auto& error = std::get<spool_error>(whole.error());
    // All who have their pages may wait for room: then somebody has to give some.
    if (error.kind == spool_error_kind::full) {
      co_return make_way(now, size_of(pages), std::move(error.message), context);
    }
    co_return settled(outcome_of(error, first(parts_.spec, now.client, now.day), context.now()),
                      context);
  }
  co_return transformable{now.client, now.day, *std::move(whole), now.report};
}

// Documents of JSON stand one after the other; of CSV only the first page keeps its header, and
// only the last one its totals.
report::joined report::join(const std::vector<spool_file>& pages, const spool_key& as,
                            const std::stop_token& stop) {
  const auto& format = parts_.spec.source.format;
  auto writer = parts_.spool.write(as, form_of_rows());
  std::expected<void, spool_error> written;
  char last = '\n';
  const auto put = [&](std::string_view bytes) {
    if (!bytes.empty()) last = bytes.back();
    if (!bytes.empty()) written = writer.write(bytes);
    return written.has_value() && !stop.stop_requested();
  };
  header_cutter header(format);
  for (std::size_t i = 0; i < pages.size(); ++i) {
    header.begin_page();
    auto bytes_left = pages[i].size_bytes;
    if (i + 1 < pages.size() && has_totals(format)) {
      line_rows rows(format);
      const auto looked = parts_.spool.read_pieces(pages[i], [&](std::string_view piece) {
        rows.add(piece);
        return !stop.stop_requested();
      });
      if (!looked) return std::unexpected(looked.error());
      rows.finish();
      if (rows.lacks_totals()) {
        return std::unexpected(permanent{
            "a part of the report has fewer rows than totals at its end; correct `totals` in "
            "[source.format]"});
      }
      bytes_left = rows.size_without_totals();
    }
    if (last != '\n' && !put("\n")) break;
    const auto read = parts_.spool.read_pieces(pages[i], [&](std::string_view piece) {
      const auto kept = piece.substr(0, std::min<std::uint64_t>(bytes_left, piece.size()));
      bytes_left -= kept.size();
      return put(header.take(kept));
    });
    if (!written) break;
    if (!read) return std::unexpected(read.error());
    if (header.differs()) return std::unexpected(other_header(i + 1));
  }
  if (!written) return std::unexpected(std::move(written.error()));
  auto whole = writer.finish();
  if (!whole) return std::unexpected(std::move(whole.error()));
  return *std::move(whole);
}

task<report::said> report::without_rows(downloading at, source_error why,
                                        const step_context& context) {
  if (why.is == source_error::meaning::split) {
    auto said = split(std::move(at), why);
    co_return settled(std::move(said), context);
  }
  if (why.is == source_error::meaning::spool_full && !at.so_far.pages.empty()) {
    const auto its_bytes = size_of(at.so_far.pages);
    co_return make_way(at, its_bytes, std::move(why.message), context);
  }
  if (why.is == source_error::meaning::expired && !at.next.empty()) {
    co_return settled(go_back<state>{again(at, context), std::move(why.message)}, context);
  }
  if (why.is != source_error::meaning::empty) {
    co_return settled(outcome_of(why, context.now()), context);
  }
  if (at.so_far == collected{}) co_return co_await no_rows(at.client, at.day, context);
  co_return co_await end_part(std::move(at), context);
}

// What an earlier pass has stored would be taken for what there is of the day.
task<std::expected<void, sink_error>> report::remove_objects(const client& of, day on) {
  if (parts_.spec.transform.bad_rows) {
    auto removed = co_await parts_.sink.remove(of, on, object_role::rejected);
    if (!removed) co_return removed;
  }
  co_return co_await parts_.sink.remove(of, on, object_role::rows);
}

task<report::said> report::no_rows(std::string client, std::string day, step_context context) {
  const auto* const of = find_client(client);
  const auto on = parse_day(day);
  if (context.generation > 1 && parts_.spec.sink.overwrite && of != nullptr && on) {
    auto removed = co_await remove_objects(*of, *on);
    if (!removed) {
      auto& why = removed.error();
      // The lane that a throttled step parks is that of the API.
      if (why.kind == sink_error_kind::throttled) why.kind = sink_error_kind::transient;
      co_return outcome_of(why, first(parts_.spec, client, day), context.now());
    }
  }
  completed nothing{.url = {},
                    .size_bytes = 0,
                    .sha256 = {},
                    .rows = 0,
                    .spec = parts_.spec.version,
                    .rejected_rows = 0};
  if (parts_.loader == nullptr) co_return nothing;
  co_return loadable{.client = std::move(client),
                     .day = std::move(day),
                     .url = {},
                     .size_bytes = 0,
                     .sha256 = {},
                     .rows = 0,
                     .spec = parts_.spec.version,
                     .report = {},
                     .rejected_rows = 0};
}

report::said report::split(downloading now, const source_error& why) const {
  const auto& how = parts_.spec.source.split;
  if (!how) {
    return permanent{why.message +
                     "; say in [source.split] by which values it can be asked for in parts"};
  }
  auto smaller = halved(*how, std::move(now.so_far));
  if (!smaller) {
    return permanent{why.message +
                     "; it is but one value of [source.split] already: write finer ones"};
  }
  now.so_far = *std::move(smaller);
  return begin_part(std::move(now));
}

}  // namespace wherry::app
