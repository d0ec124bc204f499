// What it takes to make Arrow columns of structs: of one's own (row.h), by hand, and of a canonical table.
#include "struct_bench.h"

#include <arrow/api.h>

#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "crv/io/row.h"
#include "history.h"

namespace crv::bench {

// Five columns of fixed width.
struct Particle {
  std::int64_t tick;
  std::int64_t id;
  double x, y;
  bool bound;
};
CRV_ROW(Particle, tick, id, x, y, bound)

// The fields of core::HoldingsRow.
struct Holding {
  std::int64_t tick;
  std::string agent_id;
  std::string token_id;
  std::int64_t quantity;
};
CRV_ROW(Holding, tick, agent_id, token_id, quantity)

namespace {

constexpr int kTurns = 7;

void good(const arrow::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

std::shared_ptr<arrow::Table> by_hand(const std::vector<Particle>& rows) {
  arrow::Int64Builder tick, id;
  arrow::DoubleBuilder x, y;
  arrow::BooleanBuilder bound;
  const auto count = static_cast<std::int64_t>(rows.size());
  good(tick.Reserve(count));
  good(id.Reserve(count));
  good(x.Reserve(count));
  good(y.Reserve(count));
  good(bound.Reserve(count));
  for (const Particle& row : rows) {
    tick.UnsafeAppend(row.tick);
    id.UnsafeAppend(row.id);
    x.UnsafeAppend(row.x);
    y.UnsafeAppend(row.y);
    bound.UnsafeAppend(row.bound);
  }
  static const auto schema =
      arrow::schema({arrow::field("tick", arrow::int64()), arrow::field("id", arrow::int64()),
                     arrow::field("x", arrow::float64()), arrow::field("y", arrow::float64()),
                     arrow::field("bound", arrow::boolean())});
  return arrow::Table::Make(schema,
                            {tick.Finish().ValueOrDie(), id.Finish().ValueOrDie(), x.Finish().ValueOrDie(),
                             y.Finish().ValueOrDie(), bound.Finish().ValueOrDie()});
}

std::shared_ptr<arrow::Table> by_hand(const std::vector<Holding>& rows) {
  arrow::Int64Builder tick, quantity;
  arrow::StringBuilder agent, token;
  const auto count = static_cast<std::int64_t>(rows.size());
  good(tick.Reserve(count));
  good(quantity.Reserve(count));
  good(agent.Reserve(count));
  good(token.Reserve(count));
  for (const Holding& row : rows) {
    tick.UnsafeAppend(row.tick);
    good(agent.Append(row.agent_id));
    good(token.Append(row.token_id));
    quantity.UnsafeAppend(row.quantity);
  }
  static const auto schema =
      arrow::schema({arrow::field("tick", arrow::int64()), arrow::field("agent_id", arrow::utf8()),
                     arrow::field("token_id", arrow::utf8()), arrow::field("quantity", arrow::int64())});
  return arrow::Table::Make(schema, {tick.Finish().ValueOrDie(), agent.Finish().ValueOrDie(),
                                     token.Finish().ValueOrDie(), quantity.Finish().ValueOrDie()});
}

// Both in turn, so that they see the same machine.
template <class Rows, class Other>
void measure(const char* what, const char* than, const Rows& rows, const Other& other) {
  std::vector<double> own_ms, other_ms;
  for (int turn = 0; turn < kTurns; ++turn) {
    std::shared_ptr<arrow::Table> own, theirs;
    other_ms.push_back(1000 * seconds_of([&] { theirs = other(); }));
    own_ms.push_back(1000 * seconds_of([&] { own = io::Frame(rows).table(); }));
    if (!own->Equals(*theirs)) throw std::runtime_error("the frames differ");
  }
  const double million = static_cast<double>(rows.size()) / 1000 / median(own_ms);
  std::printf("  %-30s %-15s %8.2f ms %8.2f ms   x %.2f   %6.1f M rows/s\n", what, than, median(other_ms),
              median(own_ms), median(other_ms) / median(own_ms), million);
  std::fflush(stdout);
}

}  // namespace

void bench_structs(std::int64_t rows) {
  std::vector<Particle> particles;
  std::vector<Holding> own;
  std::vector<core::HoldingsRow> holdings;
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto value = static_cast<double>(i);
    particles.push_back({i / 1000, i, value / 7, -value, i % 3 == 0});
    own.push_back({i / 1000, "agent_" + std::to_string(i % 1000), "grain", i % 997});
    holdings.push_back({own.back().tick, own.back().agent_id, own.back().token_id, own.back().quantity});
  }
  std::printf("\nMaking a frame of %lld structs in memory, one core, medians of %d\n",
              static_cast<long long>(rows), kTurns);
  std::printf("  %-30s %-15s %8s    %8s      faster\n", "structs", "beside", "that", "row.h");
  measure("own, five fixed columns", "by hand", particles, [&] { return by_hand(particles); });
  measure("own, two fixed, two of text", "by hand", own, [&] { return by_hand(own); });
  measure("the same as own", "core::Holdings", own, [&] { return io::Frame(holdings).table(); });
}

}  // namespace crv::bench
