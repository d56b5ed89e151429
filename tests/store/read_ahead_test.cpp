// SPDX-License-Identifier: Apache-2.0
// Goal: the rows in memory are exactly the free rows before the bound, whatever happens in whatever
// order. Method: a few cases by hand, then random operations against a plain set of all free rows.
#include "store/sqlite/read_ahead.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>
#include <string>

using namespace wherry;
using namespace wherry::sqlite;

namespace {

turn at(std::int64_t precedence, std::int64_t key) { return {precedence, 0, key}; }

leased_machine row(turn where) {
  leased_machine machine;
  machine.key = where.key;
  machine.id = std::to_string(where.key);
  return machine;
}

std::vector<turn> rows_of(read_ahead copy) {
  std::vector<turn> found;
  while (copy.size() > 0) found.push_back(copy.pop().at);
  return found;
}

/// All free rows of the lane, as the database has them.
using model = std::set<turn>;

void refill(read_ahead& subject, const model& all, std::size_t room) {
  std::vector<free_row> rows;
  auto each = all.lower_bound(subject.bound());
  for (; each != all.end() && rows.size() < room; ++each) rows.push_back({*each, row(*each)});
  subject.extend(std::move(rows), each == all.end() ? turn::highest() : *each);
}

void check_invariant(const read_ahead& subject, const model& all) {
  const std::vector<turn> expected(all.begin(), all.lower_bound(subject.bound()));
  REQUIRE((rows_of(subject) == expected));
}

}  // namespace

TEST_SUITE("read_ahead.hpp") {
  TEST_CASE("a new one knows nothing and takes nothing") {
    read_ahead subject;
    CHECK(subject.cold());
    subject.offer(at(0, 1), row(at(0, 1)));
    CHECK(subject.size() == 0);
  }

  TEST_CASE("a complete one takes every row until it is full and then knows where it ends") {
    read_ahead subject;
    subject.begin_complete();
    constexpr std::int64_t limit = read_ahead::row_limit;
    for (auto key = limit + 1; key > 1; --key) subject.offer(at(0, key), row(at(0, key)));
    CHECK(subject.complete());
    CHECK(subject.size() == limit);
    subject.offer(at(0, 1), row(at(0, 1)));
    CHECK_FALSE(subject.complete());
    CHECK(subject.size() == limit);
    CHECK((subject.bound() == at(0, limit + 1)));
    CHECK(subject.pop().at.key == 1);
    subject.offer(at(0, limit + 2), row(at(0, limit + 2)));
    CHECK_MESSAGE(subject.size() == limit - 1, "a row behind the bound is left to the query");
  }

  TEST_CASE("high priority and then high rank come first") {
    CHECK(precedence(1, 0) < precedence(0, 999'999));
    CHECK(precedence(0, 2) < precedence(0, 1));
    CHECK(precedence(-1, 5) > precedence(0, -5));
    CHECK(precedence(priority_limit, priority_limit) == -(1'000'000 * 4'294'967'296 + 1'000'000));
  }

  TEST_CASE("the bytes that rows hold are bounded but one row always fits") {
    read_ahead subject;
    subject.begin_complete();
    for (std::int64_t key = 1; key <= 10; ++key) {
      auto large = row(at(0, key));
      large.data.assign(read_ahead::byte_limit / 2, 'x');
      subject.offer(at(0, key), std::move(large));
    }
    CHECK(subject.size() == 1);
    CHECK(subject.pop().at.key == 1);
    auto huge = row(at(0, 0));
    huge.data.assign(4 * read_ahead::byte_limit, 'x');
    subject.offer(at(0, 0), std::move(huge));
    CHECK(subject.size() == 1);
  }

  TEST_CASE("a rewind forgets what comes after and a query finds it again") {
    read_ahead subject;
    subject.begin_complete();
    for (const std::int64_t key : {1, 2, 4, 5}) subject.offer(at(0, key), row(at(0, key)));
    subject.rewind(at(0, 3));
    CHECK((rows_of(subject) == std::vector{at(0, 1), at(0, 2)}));
    const model all{at(0, 1), at(0, 2), at(0, 3), at(0, 4), at(0, 5)};
    refill(subject, all, 2);
    CHECK((rows_of(subject) == std::vector{at(0, 1), at(0, 2), at(0, 3), at(0, 4)}));
    CHECK((subject.bound() == at(0, 5)));
  }

  TEST_CASE("random operations keep exactly the free rows before the bound") {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      CAPTURE(seed);
      std::mt19937_64 random(seed);
      read_ahead subject;
      if (seed % 2 == 0) subject.begin_complete();
      model all;
      std::int64_t last_key = 0;
      for (int step = 0; step < 400; ++step) {
        CAPTURE(step);
        const turn fresh{static_cast<std::int64_t>(random() % 5),
                         static_cast<std::int64_t>(random() % 5), ++last_key};
        switch (random() % 10) {
          case 0:
          case 1:
          case 2:
          case 3: {
            all.insert(fresh);
            const bool is_kept = fresh < subject.bound();
            subject.offer(fresh, row(fresh));
            if (is_kept) CHECK(subject.size() <= read_ahead::row_limit);
            break;
          }
          case 4:
            all.insert(fresh);
            subject.rewind(fresh);
            break;
          case 5:
            if (!all.empty()) {
              const auto gone = std::next(all.begin(), static_cast<long>(random() % all.size()));
              subject.remove(*gone);
              all.erase(gone);
            }
            break;
          case 6:
            if (random() % 20 == 0) subject.chill();
            break;
          case 7:
            if (!subject.complete()) refill(subject, all, random() % 50);
            break;
          default:
            if (subject.size() > 0) {
              const auto first = subject.pop();
              REQUIRE((first.at == *all.begin()));
              CHECK(first.contents.key == first.at.key);
              all.erase(all.begin());
            }
        }
        check_invariant(subject, all);
      }
    }
  }
}
