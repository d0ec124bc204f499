// tables() and the bundle show all tables as of one moment, whatever others commit meanwhile.
#include <gtest/gtest.h>

#include "crv/core/rows.h"
#include "io/support/sim_run.h"

namespace crv::io {
namespace {

using Disk = std::shared_ptr<SimOs>;

// One row into each of two tables, in one commit.
void append_pair(Dataset& dataset, std::int64_t tick) {
  const std::vector<core::HoldingsRow> owned = holdings({tick}, tick);
  const std::vector<core::ExchangeRow> trades{
      {.tick = tick, .venue_id = "market", .token_id = "grain", .exchange_event_type = "trade"}};
  const std::vector<TableFrame> frames{{"holdings", owned}, {"exchange", trades}};
  dataset.append(frames);
}

template <class Look>
void expect_equal_counts_whenever_others_commit(const Look& look) {
  Disk base = std::make_shared<SimOs>();
  {
    Dataset dataset = sim_dataset(base);
    append_pair(dataset, 1);
  }
  for (bool known : {false, true}) {
    for (std::size_t n = 0;; ++n) {
      Disk disk = base->clone();
      Dataset reader = sim_dataset(disk);
      if (known) reader.tables();
      std::size_t calls = 0;
      disk->set_hook([&](const SimOp&) {
        if (calls++ == n) {
          Dataset writer = sim_dataset(disk);
          append_pair(writer, 2);
          append_pair(writer, 30);
          writer.refresh_manifests();
        }
        return 0;
      });
      look(reader, n);
      disk->set_hook({});
      if (calls <= n) break;
    }
  }
}

TEST(OneMoment, TablesAreOfOne) {
  expect_equal_counts_whenever_others_commit([](Dataset& reader, std::size_t n) {
    const std::vector<TableInfo> tables = reader.tables();
    ASSERT_EQ(tables.size(), 2U) << n;
    EXPECT_EQ(tables[0].rows, tables[1].rows) << "call " << n;
  });
}

TEST(OneMoment, ABundleIsOfOne) {
  expect_equal_counts_whenever_others_commit([](Dataset& reader, std::size_t n) {
    const Json bundle = reader.write_bundle({});
    const auto& tables = *bundle.get_if<JsonObject>()->find("tables")->get_if<JsonObject>();
    const auto rows = [&](const char* table) {
      return *tables.find(table)->get_if<JsonObject>()->find("rows")->get_if<std::int64_t>();
    };
    EXPECT_EQ(rows("holdings"), rows("exchange")) << "call " << n;
  });
}

}  // namespace
}  // namespace crv::io
