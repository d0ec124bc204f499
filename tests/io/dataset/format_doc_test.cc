// docs/format.md is what others write readers from: its examples must be what the code reads and writes.
#include <gtest/gtest.h>

#include <arrow/util/key_value_metadata.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "crv/core/rows.h"
#include "crv/io/dataset.h"
#include "io/log/commit.h"
#include "io/log/manifest_file.h"
#include "io/log/run_file.h"
#include "io/storage/paths.h"
#include "io/support/temp_dir.h"

namespace crv::io {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string document() {
  return text_of(std::string(CRV_TEST_DATA) + "/../docs/format.md");
}

std::string section(const std::string& heading) {
  const std::string text = document();
  const std::string mark = "\n## " + heading + "\n";
  const std::size_t begin = text.find(mark);
  if (begin == std::string::npos) throw std::runtime_error("docs/format.md has no section " + heading);
  const std::size_t end = text.find("\n## ", begin + mark.size());
  return text.substr(begin + mark.size(), end - begin - mark.size());
}

// The JSON blocks of a section.
std::vector<std::string> examples(const std::string& heading) {
  const std::string text = section(heading), open = "```json\n", close = "\n```";
  std::vector<std::string> blocks;
  for (std::size_t at = text.find(open); at != std::string::npos; at = text.find(open, at)) {
    at += open.size();
    blocks.push_back(text.substr(at, text.find(close, at) - at));
  }
  return blocks;
}

// The texts between backticks that begin the rows of a section's tables.
std::vector<std::string> first_cells(const std::string& heading) {
  const std::string text = section(heading);
  std::vector<std::string> cells;
  for (std::size_t at = text.find("\n| `"); at != std::string::npos; at = text.find("\n| `", at + 1))
    cells.push_back(text.substr(at + 4, text.find('`', at + 4) - at - 4));
  return cells;
}

TEST(FormatDoc, RunJsonIsReadAndWrittenAsShown) {
  const auto shown = examples("run.json");
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(encode_run(decode_run(shown[0] + '\n', "run.json", "village")), shown[0] + '\n');
}

TEST(FormatDoc, CommitsAreReadAndWrittenAsShown) {
  const auto shown = examples("A commit");
  ASSERT_EQ(shown.size(), 2u);
  for (std::int64_t seq = 1; seq <= 2; ++seq) {
    const std::string line = shown[static_cast<std::size_t>(seq - 1)] + '\n';
    EXPECT_EQ(encode(decode_commit(line, "log", seq)), line);
  }
}

TEST(FormatDoc, EveryKindOfCommitIsListed) {
  const std::vector<std::string> listed = first_cells("A commit");
  for (const CommitKind kind : {CommitKind::append, CommitKind::define, CommitKind::adopt,
                                CommitKind::rebuild, CommitKind::gc, CommitKind::fence})
    EXPECT_NE(std::find(listed.begin(), listed.end(), name_of(kind)), listed.end()) << name_of(kind);
}

TEST(FormatDoc, TheFoldHoldsTheCommitsAndIsReadAndWrittenAsShown) {
  const auto shown = examples("A fold");
  ASSERT_EQ(shown.size(), 1u);
  const Fold fold = decode_fold(shown[0] + '\n', "fold", 1, 2);
  EXPECT_EQ(fold.lines, examples("A commit"));
  EXPECT_EQ(encode(fold), shown[0] + '\n');
}

TEST(FormatDoc, TheManifestIsReadAndWrittenAsShown) {
  const auto shown = examples("A manifest");
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(encode_manifest(decode_manifest(shown[0], "holdings", "manifest.json")), shown[0]);
}

TEST(FormatDoc, TheManifestIsTheCommitsShownFoldedTogether) {
  TableState state("holdings");
  std::int64_t seq = 0;
  for (const std::string& line : examples("A commit")) {
    ++seq;
    state.apply(decode_commit(line, "log", seq));
  }
  TableState shown = decode_manifest(examples("A manifest").at(0), "holdings", "manifest.json");
  shown.created_at = state.created_at;  // of the empty manifest, which was there before the first commit
  EXPECT_EQ(encode_manifest(shown), encode_manifest(state));
}

std::string shape_of(const Json& json) {
  const auto* object = json.get_if<JsonObject>();
  if (!object) return "";
  std::string shape = "{";
  for (const auto& [key, value] : *object) shape += key + shape_of(value) + ' ';
  return shape + '}';
}

class FormatDocOnDisk : public testing::Test {
 protected:
  FormatDocOnDisk() {
    settings.root_dir = folder.path();
    settings.durability = Durability::none;
  }

  std::string below_run(const std::string& name) { return folder.path() + "/runs/village/" + name; }

  TempDir folder;
  IoSettings settings;
  const std::vector<core::HoldingsRow> rows{
      {.tick = 0, .agent_id = "ada", .token_id = "grain", .quantity = 12}};
};

TEST_F(FormatDocOnDisk, FooterKeysStandInTheOrderOfTheTable) {
  Dataset dataset(settings, "village");
  const AppendSummary done = dataset.append("holdings", rows, {.token = Token{"engine", 1}});
  const auto file = parquet::ParquetFileReader::OpenFile(done.parts.at(0).path);
  std::vector<std::string> listed = first_cells("A part");
  std::erase_if(listed, [](const std::string& cell) {
    return cell == "crv_replaces" || cell == "crv_definition" ||
           !(cell.starts_with("crv_") || cell == "ARROW:schema");
  });
  EXPECT_EQ(file->metadata()->key_value_metadata()->keys(), listed);
}

TEST_F(FormatDocOnDisk, OwnTablesAreWrittenAsTheirSectionSays) {
  Dataset dataset(settings, "village");
  const JsonObject row{{"tick", 0}, {"id", "a"}, {"energy", 1.5}};
  AppendOptions options;
  options.create = true;
  const AppendSummary done = dataset.append("sheep", frame_from_json({&row, 1}), options);
  const auto file = parquet::ParquetFileReader::OpenFile(done.parts.at(0).path);
  const auto keys = file->metadata()->key_value_metadata()->keys();
  EXPECT_EQ(std::vector<std::string>(keys.end() - 3, keys.end()),
            (std::vector<std::string>{"crv_columns", "crv_definition", "ARROW:schema"}));
  const auto shown = examples("A definition");
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(encode(decode_commit(shown[0] + '\n', "log", 1)), shown[0] + '\n');
  const std::string written = text_of(below_run("log/00000000000000000001.json"));
  EXPECT_EQ(shape_of(parse_json(written)), shape_of(parse_json(shown[0])));
}

TEST_F(FormatDocOnDisk, ManifestsNameTheCommitOfEachPart) {
  Dataset dataset(settings, "village");
  for (int i = 0; i < 3; ++i) dataset.append("holdings", rows);
  dataset.close();
  const TableState state =
      decode_manifest(text_of(below_run("tables/holdings/manifest.json")), "holdings", "");
  std::vector<std::int64_t> seqs;
  for (const PartRecord& part : state.buckets().at(0)) seqs.push_back(part.seq);
  EXPECT_EQ(seqs, (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(state.schemas().at(0).seq, 1);
}

TEST_F(FormatDocOnDisk, TheBundleHasTheKeysShown) {
  Dataset dataset(settings, "village");
  const std::vector<core::ExchangeRow> trades{
      {.tick = 0, .venue_id = "market", .token_id = "grain", .exchange_event_type = "trade"}};
  dataset.append("exchange", trades);
  dataset.append("holdings", rows);
  const Json shown = parse_json(examples("bundle.manifest.json").at(0));
  const Json written = dataset.write_bundle({{"seed", 7}});
  EXPECT_EQ(shape_of(written), shape_of(shown));
  EXPECT_EQ(parse_json(text_of(below_run("bundle.manifest.json"))), written);
  const auto git_of = [](const Json& bundle) {
    return *bundle.get_if<JsonObject>()->find("run")->get_if<JsonObject>()->find("git");
  };
  EXPECT_EQ(git_of(written), Json(JsonObject{{"sha", nullptr}, {"dirty", nullptr}}));
  EXPECT_EQ(git_of(dataset.write_bundle({}, {}, {"9e55f1edac069d53a605297778494de91cdc0f39", true})),
            git_of(shown));
}

}  // namespace
}  // namespace crv::io
