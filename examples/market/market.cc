// A small market in C++, recorded with crv tick by tick and read back.
//
//   market [ROOT [RUN]]      records into ROOT/runs/RUN; by default out/runs/market_<new id>
//
// Villagers harvest grain and eat it. Whoever has little grain values it more, so in each meeting of two the
// one with more sells a unit to the one with less, at the middle of what it is worth to both.
#include <arrow/api.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "crv/core/ids.h"
#include "crv/core/rows.h"
#include "crv/io/dataset.h"

namespace {

using crv::core::ExchangeRow;
using crv::core::HoldingsRow;

constexpr std::int64_t kTicks = 120;
constexpr std::size_t kVillagers = 60;

// ---- the simulation: it knows crv's row structs, and nothing of files ----

struct Villager {
  std::string id;
  std::int64_t grain = 20;
  std::int64_t coins = 1000;

  // What one more unit of grain is worth to this villager, in coins.
  std::int64_t value() const { return 2000 / (grain + 5); }
};

class Market {
 public:
  Market() {
    for (std::size_t i = 0; i < kVillagers; ++i) people_.push_back({.id = "villager_" + std::to_string(i)});
  }

  // Lets a tick pass. Returns its trades.
  std::vector<ExchangeRow> step(std::int64_t tick) {
    for (Villager& v : people_) v.grain = std::max<std::int64_t>(0, v.grain + below(8) - 3);
    std::vector<ExchangeRow> trades;
    for (std::size_t meeting = 0; meeting < kVillagers; ++meeting)
      meet(tick, people_[index()], people_[index()], trades);
    return trades;
  }

  std::vector<HoldingsRow> holdings(std::int64_t tick) const {
    std::vector<HoldingsRow> rows;
    for (const Villager& v : people_) {
      rows.push_back({.tick = tick, .agent_id = v.id, .token_id = "grain", .quantity = v.grain});
      rows.push_back({.tick = tick, .agent_id = v.id, .token_id = "coin", .quantity = v.coins});
    }
    return rows;
  }

 private:
  void meet(std::int64_t tick, Villager& a, Villager& b, std::vector<ExchangeRow>& trades) {
    Villager& buyer = a.value() > b.value() ? a : b;
    Villager& seller = &buyer == &a ? b : a;
    const std::int64_t price = (buyer.value() + seller.value()) / 2;
    if (buyer.value() <= seller.value() || buyer.coins < price || seller.grain < 1) return;
    ++buyer.grain;
    --seller.grain;
    buyer.coins -= price;
    seller.coins += price;
    trades.push_back({.tick = tick,
                      .venue_id = "village",
                      .token_id = "grain",
                      .exchange_event_type = "trade",
                      .side = "buy",
                      .quantity = 1.0,
                      .price = static_cast<double>(price),
                      .actor_agent_id = buyer.id,
                      .counterparty_agent_id = seller.id,
                      .additional_payload = {{"seller_has_left", seller.grain}}});
  }

  // Of the standard's distributions no two libraries draw the same numbers; of its engines all do.
  std::int64_t below(std::uint64_t limit) { return static_cast<std::int64_t>(random_() % limit); }
  std::size_t index() { return static_cast<std::size_t>(below(kVillagers)); }

  std::vector<Villager> people_;
  std::mt19937_64 random_{7};
};

// ---- recording: one commit a tick, over both tables ----

void record(crv::io::Dataset& dataset) {
  Market market;
  for (std::int64_t tick = 0; tick < kTicks; ++tick) {
    const std::vector<ExchangeRow> trades = market.step(tick);
    const std::vector<crv::io::TableFrame> frames{{"exchange", trades}, {"holdings", market.holdings(tick)}};
    dataset.append(frames, {.validate_rows = true, .complete_through = tick});
  }
}

// ---- reading back ----

template <class Array>
const Array& column(const arrow::Table& table, const std::string& name) {
  return static_cast<const Array&>(*table.GetColumnByName(name)->chunk(0));
}

void print_trades(crv::io::Dataset& dataset, std::int64_t first, std::int64_t last) {
  const crv::io::Scan scan = dataset.scan(
      "exchange", {.ticks = {first, last}, .columns = std::vector<std::string>{"tick", "price", "quantity"}});
  const std::shared_ptr<arrow::Table> trades = scan.collect()->CombineChunks().ValueOrDie();
  double volume = 0, paid = 0;
  for (std::int64_t i = 0; i < trades->num_rows(); ++i) {
    const double quantity = column<arrow::DoubleArray>(*trades, "quantity").Value(i);
    volume += quantity;
    paid += quantity * column<arrow::DoubleArray>(*trades, "price").Value(i);
  }
  std::printf("  ticks %3lld..%-3lld  %5.0f units of grain traded, at %.2f coins on average\n",
              static_cast<long long>(first), static_cast<long long>(last), volume,
              volume > 0 ? paid / volume : 0.0);
}

void print_holdings(crv::io::Dataset& dataset, std::int64_t tick) {
  const auto rows = dataset.read("holdings", {.ticks = {tick, tick}})->CombineChunks().ValueOrDie();
  std::map<std::string, std::int64_t> sums;
  for (std::int64_t i = 0; i < rows->num_rows(); ++i)
    sums[column<arrow::StringArray>(*rows, "token_id").GetString(i)] +=
        column<arrow::Int64Array>(*rows, "quantity").Value(i);
  for (const auto& [token, sum] : sums)
    std::printf("  at the end of tick %lld all hold %lld of %s\n", static_cast<long long>(tick),
                static_cast<long long>(sum), token.c_str());
}

void summarise(crv::io::Dataset& dataset) {
  std::printf("run %s holds\n", dataset.run_id().c_str());
  for (const crv::io::TableInfo& table : dataset.tables())
    std::printf("  %-8s %6lld rows of ticks %lld to %lld\n", table.table.c_str(),
                static_cast<long long>(table.rows), static_cast<long long>(table.tick_min.value_or(0)),
                static_cast<long long>(table.tick_max.value_or(0)));
  std::printf("  in %zu commits\n", dataset.log().size());
  for (std::int64_t first = 0; first < kTicks; first += 40) print_trades(dataset, first, first + 39);
  print_holdings(dataset, kTicks - 1);
}

}  // namespace

int main(int count, char** arguments) try {
  crv::io::IoSettings settings;
  settings.root_dir = count > 1 ? arguments[1] : "out";
  settings.tick_bucket_size = 50;
  const std::string run_id = count > 2 ? arguments[2] : crv::core::make_run_id("market");
  {
    crv::io::Dataset dataset(settings, run_id);
    record(dataset);
    dataset.close();
  }
  crv::io::Dataset dataset(settings, run_id);
  summarise(dataset);
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "market: %s\n", e.what());
  return 1;
}
