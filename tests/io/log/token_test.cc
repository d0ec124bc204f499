// Tokens as text, and appends of several commits that are named by one token and begun again.
#include "crv/io/token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "crv/core/error.h"
#include "crv/io/files.h"
#include "crv/io/record.h"
#include "io/storage/paths.h"
#include "io/support/sim_run.h"
#include "io/support/temp_dir.h"

namespace crv::io {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(TokenText, IsWriterAndNumber) {
  EXPECT_EQ(parse_token("engine:7"), (Token{"engine", 7}));
  EXPECT_EQ(parse_token("a:b: c:-9223372036854775808"), (Token{"a:b: c", INT64_MIN}));
  EXPECT_EQ(parse_token("\xc3\xa4:9223372036854775807"), (Token{"\xc3\xa4", INT64_MAX}));
  EXPECT_EQ(parse_token(std::string(200, 'x') + ":0").writer.size(), 200U);
  for (const std::string& bad :
       {std::string("engine"), std::string(":7"), std::string("engine:"), std::string("engine:x"),
        std::string("engine:7x"), std::string("engine: 7"), std::string("engine:+7"),
        std::string("engine:7.0"), std::string("engine:9223372036854775808"), std::string(), std::string(":"),
        std::string(201, 'x') + ":0", std::string("a\nb:1"), std::string("a\0b:1", 5), std::string("\xff:1")})
    try {
      parse_token(bad);
      ADD_FAILURE() << bad;
    } catch (const IoArgumentError& e) {
      EXPECT_EQ(e.code(), ErrorCode::bad_argument);
      EXPECT_TRUE(e.facts().key.starts_with("token")) << e.facts().key;
    }
}

TEST(TokenText, AWriterThatNoCommitCanHoldIsRefused) {
  auto disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  for (const std::string& writer :
       {std::string("\xff"), std::string("x\xc3"), std::string(), std::string(201, 'x')})
    EXPECT_THROW(dataset.append("holdings", holdings({1}), {.token = Token{writer, 1}}), IoArgumentError);
  EXPECT_THAT(disk->files(), IsEmpty());
}

AppendOptions step(std::int64_t number) {
  AppendOptions options;
  options.token = step_of({"night", 7}, number);
  options.repeats_steps = true;
  return options;
}

TEST(Steps, MayBeRepeatedFromAnyOfThem) {
  auto disk = std::make_shared<SimOs>();
  put_run(*disk, 4);  // some are read from a fold
  {
    Dataset dataset = sim_dataset(disk);
    for (std::int64_t n = 1; n <= 6; ++n)
      EXPECT_FALSE(dataset.append("holdings", holdings({n}, n), step(n)).repeated);
  }
  const Seen before = seen_on(disk);
  for (const bool after_rebuild : {false, true}) {
    if (after_rebuild) {
      disk->erase(RunPaths("out", sim_run_id).log());
      sim_dataset(disk).rebuild_manifest("holdings");
    }
    Dataset dataset = sim_dataset(disk);
    for (std::int64_t n = 3; n <= 6; ++n) {
      const AppendSummary again = dataset.append("holdings", holdings({n}, n), step(n));
      EXPECT_TRUE(again.repeated) << n;
      EXPECT_EQ(again.rows, 1);
      ASSERT_EQ(again.parts.size(), 1U);
      EXPECT_EQ(again.parts[0].tick_min, n);
    }
    EXPECT_EQ(seen(dataset), before);
  }
  Dataset dataset = sim_dataset(disk);
  EXPECT_THROW(dataset.append("holdings", holdings({2, 2}), step(2)), IoArgumentError) << "other rows";
  EXPECT_THROW(dataset.append("holdings", holdings({0}), step(0)), IoArgumentError) << "not in the log";
  AppendOptions plain = step(2);
  plain.repeats_steps = false;
  EXPECT_THROW(dataset.append("holdings", holdings({2}, 2), plain), IoArgumentError)
      << "older, and not asked for";
  EXPECT_EQ(seen(dataset), before);
  EXPECT_FALSE(dataset.append("holdings", holdings({7}), step(7)).repeated);
}

// ---- the recorder ----

std::string line(std::int64_t tick, std::int64_t quantity) {
  return R"({"table": "holdings", "tick": )" + std::to_string(tick) +
         R"(, "agent_id": "a", "token_id": "t", "quantity": )" + std::to_string(quantity) + "}";
}

RecordOptions named() {
  RecordOptions options;
  options.append.token = Token{"night", 7};
  return options;
}

TEST(Steps, ARecordingMayBeBegunAgain) {
  auto disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  {
    JsonLinesRecorder broken(dataset, named());
    for (const std::int64_t tick : {0, 1, 5}) broken.add_line(line(tick, tick));
    EXPECT_THROW(broken.add_line("{"), SchemaError);
    EXPECT_EQ(broken.summary().ticks, 2);
    EXPECT_EQ(broken.summary().repeated, 0);
  }
  for (const std::int64_t first : {0, 1}) {  // from its start, and from a later tick
    JsonLinesRecorder again(dataset, named());
    for (std::int64_t tick = first; tick < 8; ++tick)
      if (tick < 2 || tick > 4) again.add_line(line(tick, tick));
    again.finish();
    const RecordSummary& summary = again.summary();
    EXPECT_EQ(summary.ticks, 5 - first);
    EXPECT_EQ(summary.rows, 5 - first);
    EXPECT_EQ(summary.repeated, first == 0 ? 2 : 4);
  }
  const std::vector<std::pair<std::int64_t, std::int64_t>> rows{{0, 0}, {1, 1}, {5, 5}, {6, 6}, {7, 7}};
  EXPECT_EQ(seen(dataset).at("holdings"), rows);
  // Another recording is another name, whatever its number.
  RecordOptions next = named();
  next.append.token->number = 8;
  JsonLinesRecorder other(dataset, next);
  other.add_line(line(1, 50));
  other.finish();
  EXPECT_EQ(other.summary().repeated, 0);
  EXPECT_EQ(seen(dataset).at("holdings").size(), 6U);
  // A tick that now has other rows is not taken for the same.
  JsonLinesRecorder differs(dataset, named());
  differs.add_line(line(1, 1));
  differs.add_line(line(1, 2));
  EXPECT_THROW(differs.finish(), IoArgumentError);
  EXPECT_EQ(seen(dataset).at("holdings").size(), 6U);
}

// ---- files ----

TEST(Steps, AppendingFilesInSeveralCommitsMayBeBegunAgain) {
  TempDir folder;
  const std::string path = folder.path() + "/rows.jsonl";
  {
    std::ofstream file(path);
    for (std::int64_t i = 0; i < 10; ++i) file << line(i, i).replace(0, 22, "{") << '\n';
  }
  const std::string paths[] = {path};
  auto disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  AppendFilesOptions options;
  options.append.token = Token{"night", 7};
  options.rows_per_commit = 4;
  int commits = 0;
  options.on_commit = [&](const AppendSummary&) {
    if (++commits == 2) throw std::runtime_error("broken off");
  };
  EXPECT_THROW(append_files(dataset, "holdings", paths, options), std::runtime_error);
  EXPECT_EQ(seen(dataset).at("holdings").size(), 8U);
  options.on_commit = nullptr;
  for (const std::int64_t repeated : {2, 3}) {
    const AppendFilesSummary summary = append_files(dataset, "holdings", paths, options);
    EXPECT_EQ(summary.commits, 3);
    EXPECT_EQ(summary.repeated, repeated);
    EXPECT_EQ(summary.appended.rows, 10);
    EXPECT_EQ(seen(dataset).at("holdings").size(), 10U);
  }
  options.rows_per_commit = 0;  // as one commit it is the token itself
  EXPECT_EQ(append_files(dataset, "holdings", paths, options).repeated, 0);
  EXPECT_EQ(append_files(dataset, "holdings", paths, options).repeated, 1);
  EXPECT_EQ(dataset.log().back().token, (Token{"night", 7}));
  EXPECT_EQ(seen(dataset).at("holdings").size(), 20U);
}

}  // namespace
}  // namespace crv::io
