// Rows that an append does not take, and the table they go to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <arrow/api.h>

#include "crv/core/descriptor.h"
#include "crv/core/error.h"
#include "crv/core/rows.h"
#include "crv/io/json_rows.h"
#include "io/storage/paths.h"
#include "io/support/arrow_json.h"
#include "io/support/conform_support.h"
#include "io/support/sim_run.h"

namespace crv::io {
namespace {

using Disk = std::shared_ptr<SimOs>;
using arrow::field;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

AppendOptions quarantining() {
  AppendOptions options;
  options.validate_rows = true;
  options.on_invalid = OnInvalid::quarantine;
  return options;
}

JsonObject object(const std::string& json) {
  return *parse_json(json).get_if<JsonObject>();
}

Frame holdings_of(const std::vector<std::string>& rows) {
  std::vector<JsonObject> all;
  for (const std::string& row : rows) all.push_back(object(row));
  return frame_from_json(all);
}

const std::string good_5 = R"({"tick":5,"agent_id":"a","token_id":"t","quantity":1})";
const std::string good_15 = R"({"tick":15,"agent_id":"a","token_id":"t","quantity":2})";
const std::string empty_12 = R"({"tick":12,"agent_id":"","token_id":"t","quantity":3})";

std::vector<std::string> quarantined(Dataset& dataset) {
  std::vector<std::string> rows;
  for (JsonObject& row : rows_to_json(*dataset.read("quarantine"))) rows.push_back(write_json(row));
  return rows;
}

TEST(Quarantine, GoodRowsAndBadRowsAreOneCommit) {
  Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  const AppendSummary summary =
      dataset.append("holdings", holdings_of({good_5, empty_12, good_15}), quarantining());
  EXPECT_EQ(summary.rows, 2);
  EXPECT_EQ(summary.quarantined, 1);
  EXPECT_THAT(summary.buckets, ElementsAre(0, 1));
  EXPECT_THAT(write_json(to_json(summary)), HasSubstr(R"("buckets":[0,1],"quarantined":1})"));
  EXPECT_EQ(seen_on(disk), (Seen{{"holdings", {{5, 1}, {15, 2}}}, {"quarantine", {{12, -1}}}}));
  EXPECT_THAT(
      quarantined(dataset),
      ElementsAre(
          R"({"bucket":1,"tick":12,"source_table":"holdings","rule":"column.not_empty","column":"agent_id",)"
          R"("reason":"must not be empty","row_json":"{\"tick\":12,\"agent_id\":\"\",\"token_id\":\"t\",)"
          R"(\"quantity\":3}"})"));
  const std::vector<CommitInfo> log = dataset.log();
  ASSERT_EQ(log.size(), 1U);
  ASSERT_EQ(log[0].tables.size(), 2U);
  EXPECT_EQ(log[0].tables[0].table, "holdings");
  EXPECT_EQ(log[0].tables[1].table, "quarantine");
  EXPECT_EQ(log[0].tables[1].rows_added, 1);
}

TEST(Quarantine, WithoutABadRowThereIsNoSuchTable) {
  Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  const AppendSummary summary = dataset.append("holdings", holdings_of({good_5}), quarantining());
  EXPECT_EQ(summary.quarantined, 0);
  EXPECT_THROW(dataset.read("quarantine"), IoManifestError);
  ASSERT_EQ(dataset.tables().size(), 1U);
  AppendOptions checked;
  checked.validate_rows = true;
  EXPECT_EQ(dataset.append("holdings", holdings_of({good_5}), checked).quarantined, std::nullopt);
}

TEST(Quarantine, WhereAllRowsAreBadTheirTableGetsNoPart) {
  Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  const AppendSummary summary = dataset.append("holdings", holdings_of({empty_12, empty_12}), quarantining());
  EXPECT_EQ(summary.rows, 0);
  EXPECT_EQ(summary.quarantined, 2);
  EXPECT_THAT(summary.parts, IsEmpty());
  EXPECT_EQ(seen_on(disk), (Seen{{"quarantine", {{12, -1}, {12, -1}}}}));
  EXPECT_EQ(part_files(*disk).size(), 1U);
  EXPECT_TRUE(dataset.verify().ok);
}

TEST(Quarantine, EachKindOfBadRowIsTakenOutWithTheFirstRuleItBreaks) {
  Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  const AppendSummary summary =
      dataset.append("holdings",
                     holdings_of({good_5, R"({"tick":null,"agent_id":"a","token_id":"t","quantity":1.0})",
                                  R"({"tick":-7,"agent_id":"a","token_id":"t","quantity":1.0})",
                                  R"({"tick":2.5,"agent_id":"a","token_id":"t","quantity":1.0})",
                                  R"({"tick":21,"token_id":"t","quantity":1.0})",
                                  R"({"tick":31,"agent_id":"","token_id":"","quantity":0.5})",
                                  R"({"tick":41,"agent_id":"a","token_id":"t","quantity":0.5})", good_15}),
                     quarantining());
  EXPECT_EQ(summary.rows, 2);
  EXPECT_EQ(summary.quarantined, 6);
  std::vector<std::string> told;
  for (const JsonObject& row : rows_to_json(*dataset.read("quarantine"))) {
    told.push_back(write_json(*row.find("tick")) + ' ' + *row.find("rule")->get_if<std::string>() + ' ' +
                   *row.find("column")->get_if<std::string>());
  }
  EXPECT_THAT(told, ElementsAre("0 column.required tick", "0 column.range tick", "0 column.type tick",
                                "21 column.required agent_id", "31 column.not_empty agent_id",
                                "41 column.type quantity"));
  const std::shared_ptr<arrow::Table> rows = dataset.read("quarantine", {.ticks = {21, 21}});
  EXPECT_EQ(*rows_to_json(*rows)[0].find("row_json"),
            Json(R"({"tick":21.0,"agent_id":null,"token_id":"t","quantity":1.0})"));
}

TEST(Quarantine, ARowIsTakenOutForWhatIsNestedInIt) {
  Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  const auto row = [](const std::string& payload) {
    return object(R"({"tick":1,"venue_id":"v","token_id":"t","exchange_event_type":"trade","side":"BUY",)"
                  R"("additional_payload":{"n":)" +
                  payload + "}}");
  };
  dataset.append("exchange", frame_from_json(std::vector{row("0.5")}));
  const std::vector<JsonObject> rows{row("9007199254740993"), row("7")};
  EXPECT_EQ(dataset.append("exchange", frame_from_json(rows), quarantining()).quarantined, 1);
  const std::vector<JsonObject> kept = rows_to_json(*dataset.read("exchange"));
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(*kept[1].find("additional_payload"), parse_json(R"({"n":7.0})"));
  EXPECT_EQ(*kept[1].find("side"), Json("buy"));
  const JsonObject bad = rows_to_json(*dataset.read("quarantine"))[0];
  EXPECT_EQ(*bad.find("rule"), Json("column.type"));
  EXPECT_EQ(*bad.find("column"), Json("additional_payload.n"));
  EXPECT_THAT(*bad.find("row_json")->get_if<std::string>(), HasSubstr("9007199254740993"));
  EXPECT_THAT(*bad.find("row_json")->get_if<std::string>(), HasSubstr(R"("side":"BUY")"));
}

TEST(Quarantine, TheTableIsAsIfTheBadRowsHadNotBeenThere) {
  const std::string row = R"({"tick":1,"venue_id":"v","token_id":"t","exchange_event_type":"trade",)";
  const JsonObject good = object(row + R"("additional_payload":{"n":7}})");
  const JsonObject bad =
      object(row + R"("side":"both","additional_payload":{"n":9007199254740993,"x":"y"}})");
  Disk with = std::make_shared<SimOs>(), without = std::make_shared<SimOs>();
  Dataset a = sim_dataset(with), b = sim_dataset(without);
  a.append("exchange", frame_from_json(std::vector{bad, good, bad}), quarantining());
  b.append("exchange", frame_from_json(std::vector{good}));
  EXPECT_THAT(write_json(a.columns("exchange")), HasSubstr(R"("n":"i64")"));  // not one that must stay exact
  EXPECT_EQ(*rows_to_json(*a.read("exchange"))[0].find("tick"), Json(1));
  a.append("exchange", frame_from_json(std::vector{object(row + R"("additional_payload":{"n":0.5}})")}));
  EXPECT_EQ(a.read("exchange")->num_rows(), 2);
}

TEST(Quarantine, TypesThatCannotBeGatheredAreTakenApartToo) {
  const auto payload = arrow::struct_({field("text", arrow::utf8_view())});
  const auto frame = table_of(
      {{"tick", array_of(arrow::int64(), "[1,2,3,4]")},
       {"venue_id", array_of(arrow::utf8_view(), R"(["v","","v","v"])")},
       {"token_id", array_of(arrow::dictionary(arrow::int8(), arrow::utf8()), R"(["t","t","u","t"])")},
       {"exchange_event_type", array_of(arrow::utf8(), R"(["gift","gift","gift","no"])")},
       {"additional_payload",
        array_of(payload,
                 R"([{"text":"a"},{"text":"b"},{"text":"a text that is rather long"},{"text":"d"}])")}});
  Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  EXPECT_EQ(dataset.append("exchange", frame, quarantining()).quarantined, 2);
  const auto rows = rows_to_json(*dataset.read("exchange"));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(*rows[1].find("token_id"), Json("u"));
  EXPECT_EQ(*rows[1].find("additional_payload"), parse_json(R"({"text":"a text that is rather long"})"));
}

TEST(Quarantine, AnotherWriterThatWidensTheTableMeanwhileChangesNothing) {
  const auto row = [](const std::string& venue, const std::string& number) {
    return object(R"({"tick":1,"venue_id":")" + venue +
                  R"(","token_id":"t","exchange_event_type":"trade","additional_payload":{"n":)" + number +
                  "}}");
  };
  Disk disk = std::make_shared<SimOs>();
  Dataset slow = sim_dataset(disk), quick = sim_dataset(disk);
  slow.append("exchange", frame_from_json(std::vector{row("v", "1")}));
  bool done = false;
  disk->set_hook([&](const SimOp& op) {
    if (op.call == OsCall::link && op.to == RunPaths("out", sim_run_id).commit(2) && !done) {
      done = true;
      quick.append("exchange", frame_from_json(std::vector{row("v", "0.5")}));
    }
    return 0;
  });
  const std::vector<JsonObject> rows{row("", "2"), row("v", "3"), row("v", "9007199254740993")};
  // The last row fits no longer once the path holds floats.
  EXPECT_EQ(slow.append("exchange", frame_from_json(rows), quarantining()).quarantined, 2);
  disk->set_hook({});
  EXPECT_TRUE(done);
  EXPECT_EQ(seen_on(disk),
            (Seen{{"exchange", {{1, -1}, {1, -1}, {1, -1}}}, {"quarantine", {{1, -1}, {1, -1}}}}));
  EXPECT_TRUE(sim_dataset(disk).verify().ok);

  done = false;  // what fits in no row is refused as ever
  disk->set_hook([&](const SimOp& op) {
    if (op.call == OsCall::link && op.to == RunPaths("out", sim_run_id).commit(4) && !done) {
      done = true;
      const JsonObject text =
          object(R"({"tick":1,"venue_id":"v","token_id":"t","exchange_event_type":"trade",)"
                 R"("additional_payload":{"m":"text"}})");
      quick.append("exchange", frame_from_json(std::vector{text}));
    }
    return 0;
  });
  const JsonObject number = object(R"({"tick":1,"venue_id":"v","token_id":"t","exchange_event_type":"trade",)"
                                   R"("additional_payload":{"m":7}})");
  const auto append = [&] { slow.append("exchange", frame_from_json(std::vector{number}), quarantining()); };
  EXPECT_EQ(refusal(append).code(), ErrorCode::type_conflict);
  disk->set_hook({});
  EXPECT_TRUE(done);
}

TEST(Quarantine, SeveralTablesShareIt) {
  Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  core::IdentityEdgeRow edge;
  edge.tick = 3;
  edge.observer_agent_id = "o";
  edge.edge_kind = "self_to_agent";
  const std::vector<TableFrame> frames{{"holdings", holdings_of({empty_12, good_5})},
                                       {"identity_edges", std::vector{edge}},
                                       {"holdings", holdings_of({good_15})}};
  const std::vector<AppendSummary> summaries = dataset.append(frames, quarantining());
  ASSERT_EQ(summaries.size(), 3U);
  EXPECT_EQ(summaries[0].quarantined, 1);
  EXPECT_EQ(summaries[1].quarantined, 1);
  EXPECT_EQ(summaries[2].quarantined, 0);
  EXPECT_EQ(summaries[1].rows, 0);
  EXPECT_EQ(dataset.log().size(), 1U);
  std::vector<std::string> sources;
  for (const JsonObject& row : rows_to_json(*dataset.read("quarantine")))
    sources.push_back(*row.find("source_table")->get_if<std::string>());
  EXPECT_THAT(sources, ElementsAre("identity_edges", "holdings"));
}

TEST(Quarantine, ATokenAgainGivesTheFirstSummary) {
  Disk disk = std::make_shared<SimOs>();
  AppendOptions named = quarantining();
  named.token = Token{"engine", 3};
  for (const auto& frame : {holdings_of({good_5, empty_12, good_15}), holdings_of({empty_12})}) {
    SCOPED_TRACE(frame.table()->num_rows());
    const AppendSummary first = sim_dataset(disk).append("holdings", frame, named);
    const auto files = part_files(*disk);
    Dataset again = sim_dataset(disk);
    EXPECT_EQ(write_json(to_json(again.append("holdings", frame, named))), write_json(to_json(first)));
    EXPECT_EQ(part_files(*disk), files);
    try {
      again.append("holdings", holdings_of({good_5, empty_12, empty_12, good_15}), named);
      FAIL() << "other rows under the same token";
    } catch (const IoArgumentError& error) {
      EXPECT_EQ(error.code(), ErrorCode::token_order);
    }
    ++named.token->number;
  }
}

TEST(Quarantine, WhatIsWrongWithAColumnIsStillAnError) {
  Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  const auto code = [&](const std::string& row) {
    return refusal([&] { dataset.append("holdings", holdings_of({row}), quarantining()); }).code();
  };
  EXPECT_EQ(code(R"({"tick":1,"agent_id":"a","token_id":"t"})"), ErrorCode::missing_column);
  EXPECT_EQ(code(R"({"tick":1,"agent_id":"a","token_id":"t","quantity":1,"other":1})"),
            ErrorCode::unknown_column);
  EXPECT_EQ(code(R"({"tick":1,"agent_id":"a","token_id":"t","quantity":[1]})"), ErrorCode::wrong_type);
  EXPECT_TRUE(disk->files().empty());
}

TEST(Quarantine, NobodyAppendsToItAndItNeedsValidateRows) {
  Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  dataset.append("holdings", holdings_of({empty_12}), quarantining());
  const Frame rows = dataset.read("quarantine");
  const Error refused = refusal([&] { dataset.append("quarantine", rows); });
  EXPECT_EQ(refused.code(), ErrorCode::unknown_table);
  AppendOptions unchecked;
  unchecked.on_invalid = OnInvalid::quarantine;
  EXPECT_THROW(dataset.append("holdings", holdings_of({good_5}), unchecked), IoArgumentError);
  EXPECT_EQ(core::find_table("quarantine"), nullptr);
}

TEST(Quarantine, IsScannedListedBundledVerifiedAndRebuiltAsAnyTable) {
  Disk disk = std::make_shared<SimOs>();
  {
    Dataset dataset = sim_dataset(disk);
    dataset.append("holdings", holdings_of({good_5, empty_12}), quarantining());
    dataset.append("holdings", holdings_of({empty_12}), quarantining());
    EXPECT_EQ(dataset.tables().at(1).table, "quarantine");
    EXPECT_EQ(dataset.tables().at(1).rows, 2);
    EXPECT_EQ(dataset.manifest("quarantine")->rows(), 2);
    EXPECT_EQ(dataset.columns("quarantine").size(), 7U);
    EXPECT_EQ(dataset.verify().tables, 2);
    EXPECT_TRUE(dataset.verify().ok);
    EXPECT_THAT(write_json(dataset.write_bundle()), HasSubstr(R"("quarantine":{"rows":2)"));
  }
  const Seen all{{"holdings", {{5, 1}}}, {"quarantine", {{12, -1}, {12, -1}}}};
  const RunPaths paths{"out", sim_run_id};
  Disk no_manifest = disk->clone();
  no_manifest->erase(paths.manifest("quarantine"));
  EXPECT_TRUE(sim_dataset(no_manifest).rebuild_manifest("quarantine").from_log);
  EXPECT_EQ(seen_on(no_manifest), all);
  disk->erase(paths.commit(1));
  EXPECT_FALSE(sim_dataset(disk).rebuild_manifest("holdings").from_log);
  EXPECT_EQ(seen_on(disk), all);
}

}  // namespace
}  // namespace crv::io
