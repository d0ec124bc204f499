// What a manifest on disk may hold: all that does not make sense is told as damage, all that is new is passed
// over.
#include "io/log/manifest_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "crv/core/error.h"
#include "io/base/checksum.h"
#include "io/log/commit.h"
#include "io/log/manifest_stream.h"
#include "io/storage/paths.h"
#include "io/support/text_reader.h"

namespace crv::io {
namespace {

const std::string time_text = "2026-11-22T20:34:32.321421+00:00";

Columns columns() {
  Type i64, text;
  i64.kind = Type::Kind::i64;
  text.kind = Type::Kind::str;
  return {{"tick", i64}, {"agent_id", text}, {"payload", struct_of({{"a", list_of(i64)}})}};
}

PartRecord part(std::int64_t bucket, char digit, std::int64_t seq) {
  PartRecord made;
  made.bucket = bucket;
  made.meta = {part_file(std::string(32, digit)), 10, 2000, bucket * 100, bucket * 100 + 7, time_text};
  made.checksum = std::string(16, digit);
  made.schema = schema_id(columns());
  made.seq = seq;
  return made;
}

TableState state() {
  TableState made("holdings");
  made.created_at = made.updated_at = time_text;
  made.learn({schema_id(columns()), 1, columns()});
  made.add(part(0, 'a', 1));
  made.add(part(0, 'b', 2));
  made.add(part(3, 'c', 2));
  made.position = 2;
  made.position_id = std::string(32, 'd');
  return made;
}

TableState decode(const std::string& text) {
  return decode_manifest(text, "holdings", "manifest.json");
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("nothing to replace: " + from);
  return text.replace(at, from.size(), to);
}

const std::string seal_mark = ",\n  \"checksum\": \"";

std::string unsealed() {
  const std::string text = encode_manifest(state());
  return text.substr(0, text.find(seal_mark));
}

std::string sealed(const std::string& text) {
  return text + seal_mark + checksum_text(text) + "\"\n}";
}

// The manifest of state() with a change, sealed anew.
std::string forged(const std::string& from, const std::string& to) {
  return sealed(replaced(unsealed(), from, to));
}

void expect_damage(const std::string& text, const std::string& key) {
  try {
    decode(text);
    ADD_FAILURE() << "it was read, though \"" << key << "\" makes no sense";
  } catch (const IoManifestError& e) {
    EXPECT_EQ(e.code(), ErrorCode::manifest_damaged) << e.what();
    EXPECT_EQ(e.facts().key, key) << e.what();
    EXPECT_EQ(e.facts().table, "holdings");
    EXPECT_EQ(e.facts().path, "manifest.json");
  }
}

TEST(ManifestFile, IsReadAsItWasWritten) {
  const std::string text = encode_manifest(state());
  const TableState read = decode(text);
  EXPECT_EQ(encode_manifest(read), text);
  EXPECT_EQ(read.manifest_position, 2);
  EXPECT_EQ(read.parts(), 3);
  EXPECT_EQ(read.unknown_parts(), 0);
  EXPECT_EQ(read.columns(), columns());
  EXPECT_EQ(read.buckets().at(0).at(1).seq, 2);
}

TEST(ManifestFile, EmptyOneIsRead) {
  TableState empty("holdings");
  EXPECT_EQ(decode(encode_manifest(empty)).parts(), 0);
}

TEST(ManifestFile, WhatMakesNoSenseIsDamage) {
  const struct {
    std::string from, to, key;
  } cases[] = {
      {R"("table": "holdings")", R"("table": "exchange")", "table"},
      {R"("table": "holdings")", R"("table": 5)", "table"},
      {R"("table": "holdings")", R"("tabel": "holdings")", "table"},
      {R"("last_seq": 2)", R"("last_seq": -1)", "last_seq"},
      {R"("last_seq": 2)", R"("last_seq": "2")", "last_seq"},
      {R"("last_id":)", R"("lastid":)", "last_id"},
      {R"("format": 1)", R"("format": 0)", "format"},
      {R"("format": 1)", R"("frmt": 1)", "format"},
      {R"("partitions": {)", R"("partitions": 7, "x": {)", "partitions"},
      {R"("000000": {)", R"("000001": {)", "bucket_id"},
      {R"("000000": {)", R"("0": {)", "bucket_id"},
      {R"("bucket_id": 0)", R"("bucket_id": -1)", "bucket_id"},
      {R"("bucket_id": 0)", R"("bucket": 0)", "bucket_id"},
      {R"("row_count": 20)", R"("row_count": 21)", "row_count"},
      {R"("byte_size": 4000)", R"("byte_size": 4001)", "byte_size"},
      {R"("byte_size": 4000)", R"("byte_size": 4000.0)", "byte_size"},
      {R"("parts": [)", R"("prts": [)", "parts"},
      {R"("parts": [)", R"("parts": {}, "x": [)", "parts"},
      {R"("part_count": 3)", R"("part_count": 2)", "part_count"},
      {R"("part_count": 3)", R"("part_count": "3")", "part_count"},
      {"part-a", "../rt-a", "path"},
      {"part-a", "part-A", "path"},
      {R"("rows": 10)", R"("rows": 0)", "rows"},
      {R"("rows": 10)", R"("rows": null)", "rows"},
      {R"("rows": 10)", R"("rows": 9223372036854775808)", "rows"},
      {R"("bytes": 2000)", R"("bytes": [2000])", "bytes"},
      {R"("tick_min": 0,
          "tick_max": 7)",
       R"("tick_min": 8,
          "tick_max": 7)",
       "tick_max"},
      {R"("created_at": "2026-11-22T20:34:32.321421+00:00"
        })",
       R"("created": 0
        })",
       "created_at"},
      {R"("aaaaaaaaaaaaaaaa",)", "", "xxh3"},
      {R"("aaaaaaaaaaaaaaaa",)", "7,", "xxh3"},
      {R"("seqs": [
        1)",
       R"("seqs": [
        -1)",
       "seqs"},
      {R"("seqs": [)", R"("sqs": [)", "xxh3"},
      {R"("columns": {)", R"("columns": 7, "x": {)", "columns"},
      {R"("columns": {)", R"("clmns": {)", "columns"},
  };
  for (const auto& one : cases) expect_damage(forged(one.from, one.to), one.key);
}

TEST(ManifestFile, WhatIsNewIsPassedOver) {
  const std::string news = R"("new": {"table": "x", "rows": 0, "parts": [{"path": 1}], "format": 9}, )";
  for (const std::string where : {R"("version": 1)", R"("state": "ready")", R"("rows": 10)", R"("seq": 1)"})
    EXPECT_EQ(encode_manifest(decode(forged(where, news + where))), encode_manifest(state())) << where;
}

TEST(ManifestFile, TornOrEditedIsDamage) {
  const std::string text = encode_manifest(state());
  for (std::size_t length = 0; length < text.size(); ++length)
    EXPECT_THROW(decode(text.substr(0, length)), IoManifestError) << length;
  expect_damage(replaced(text, R"("rows": 10)", R"("rows": 11)"), "");
}

TEST(ManifestFile, NewerFormatIsRefusedWhateverItLooksLike) {
  const std::string newer = replaced(unsealed(), R"("format": 1)", R"("format": 3)");
  for (const std::string& text : {sealed(newer), sealed(replaced(newer, "last_id", "last")), newer + "\n}"})
    try {
      decode(text);
      ADD_FAILURE() << text;
    } catch (const IoManifestError& e) {
      EXPECT_EQ(e.code(), ErrorCode::format_too_new) << e.what();
    }
}

std::string older() {
  return R"({
  "table": "holdings", "version": 1,
  "created_at": "2025-09-20T00:00:00+00:00", "updated_at": null,
  "partitions": {
    "000002": {"bucket_id": 2, "state": "ready", "tick_min": 200, "tick_max": 201, "row_count": 3, "byte_size": 900,
      "parts": [{"path": "part-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.parquet", "rows": 3, "bytes": 900, "tick_min": 200,
                 "tick_max": 201, "created_at": "2025-09-20T00:00:00+00:00"}],
      "schemas": 5, "note": ["x"]}
  },
  "schemas": {"unrelated": []}
})";
}

TableState open(const std::string& text) {
  TextReader file(text);
  return open_manifest(file, "holdings", "manifest.json", 100);
}

bool is_streamed(const std::string& text) {
  TextReader file(text);
  return stream_manifest(file, 100).has_value();
}

Commit commit_after() {
  Commit commit;
  commit.seq = 3;
  commit.id = std::string(32, 'e');
  commit.time = time_text;
  PartRecord added = part(1, 'f', 0);
  commit.tables.push_back({.table = "holdings",
                           .schemas = {},
                           .added = {added, added},
                           .removed = {{0, part(0, 'a', 1).meta.path}},
                           .condemned = {}});
  return commit;
}

TEST(ManifestFile, PartsThatAreReadLaterAreTheSameOnes) {
  TableState whole = state();
  for (int step = 0; step < 2; ++step) {
    TableState opened = open(encode_manifest(state()));
    EXPECT_EQ(opened.position, 2);
    EXPECT_EQ(opened.manifest_position, 2);
    EXPECT_EQ(opened.parts(), 3);
    EXPECT_EQ(opened.columns(), columns());
    if (step == 1) {
      opened.apply(commit_after());
      whole.apply(commit_after());
    }
    TableState copy = opened;
    EXPECT_EQ(encode_manifest(opened), encode_manifest(whole));
    EXPECT_EQ(encode_manifest(copy), encode_manifest(whole));
    EXPECT_EQ(opened.parts(), whole.parts());
  }
}

TEST(ManifestFile, DamageToPartsIsFoundAtOnce) {
  for (const auto& [from, to] :
       {std::pair{R"("rows": 10)", R"("rows": 11)"}, std::pair{R"("part_count": 3)", R"("part_count": 4)"},
        std::pair{"\"tick_max\": 7,\n          \"created_at\"",
                  "\"tick_max\": 107,\n          \"created_at\""},
        std::pair{R"("path": )", R"("path": 5, "p": )"}})
    EXPECT_THROW(open(forged(from, to)), IoManifestError) << to;
}

// Of as many parts as do not fit into one reading, in buckets of all sizes.
TableState many(std::int64_t parts) {
  TableState made = state();
  for (std::int64_t i = 0; i < parts; ++i) {
    PartRecord one = part(5 + i * i / 40'000, 'a', 2);
    char id[33];
    const std::uint64_t number = static_cast<std::uint64_t>(i);
    std::snprintf(id, sizeof id, "%016" PRIx64 "%016" PRIx64, number * 0x9e3779b97f4a7c15U, number);
    one.meta.path = part_file(id);
    one.meta.rows = 1 + i % 7;
    one.meta.bytes = i * 123'456'789'123 + 1;
    one.checksum = std::string(id, 16);
    if (i % 3 == 0) one.meta.created_at = "2026-11-22T20:34:32+00:00";
    made.add(one);
  }
  return made;
}

TEST(ManifestStream, GivesWhatReadingTheTextAsJsonGives) {
  for (const std::int64_t parts : {0, 1, 90, 91, 92, 500, 3000}) {
    const std::string text = encode_manifest(many(parts));
    ASSERT_TRUE(is_streamed(text)) << parts;
    EXPECT_EQ(encode_manifest(open(text)), text) << parts;
    EXPECT_EQ(open(text).parts(), parts + 3);
  }
}

TEST(ManifestStream, TakesNothingThatIsCutOrChangedAnywhere) {
  const std::string text = encode_manifest(many(4));
  for (std::size_t at = 0; at < text.size(); ++at) {
    EXPECT_FALSE(is_streamed(text.substr(0, at))) << at;
    for (const char other : {'0', '7', '"', ',', '}', '\n', ' '}) {
      std::string changed = text;
      if (std::exchange(changed[at], other) == other) continue;
      EXPECT_FALSE(is_streamed(changed)) << at << ' ' << other;
    }
  }
}

TEST(ManifestStream, TakesOnlyWhatSaysTheSameAsJson) {
  const std::string whole = encode_manifest(state()), a = part_file(std::string(32, 'a'));
  EXPECT_TRUE(is_streamed(whole));
  const std::string b = part_file(std::string(32, 'b')), c = part_file(std::string(32, 'c'));
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {R"("rows": 10)", R"("rows": 010)"},
           {R"("rows": 10)", R"("rows": 10.0)"},
           {R"("rows": 10)", R"("rows": 0)"},
           {R"("rows": 10)", R"("rows": -10)"},
           {R"("rows": 10)", R"("rows": 9223372036854775817)"},
           {R"("rows": 10)", R"("rows":  10)"},
           {R"("bytes": 2000)", R"("bytes": 2001)"},
           {R"("row_count": 20)", R"("row_count": 21)"},
           {R"("000003")", R"("000004")"},
           {R"("000003")", R"("3")"},
           {R"("bucket_id": 3)", R"("bucket_id": 2)"},
           {R"("tick_max": 7,
          "c)",
            R"("tick_max": 107,
          "c)"},
           {R"("tick_min": 300,
          "t)",
            R"("tick_min": 308,
          "t)"},
           {b, a},
           {c, a},
           {a, "part-" + std::string(32, 'A') + ".parquet"},
           {a, "../" + a},
           {R"("state": "ready")", R"("state": "writing")"},
           {std::string(16, 'b') + '"', std::string(16, 'B') + '"'},
           {"\"" + std::string(16, 'b') + "\"", "null"},
           {",\n        \"" + std::string(16, 'b') + "\"", ""},
           {"\n        1,\n        2", "\n        1"},
           {"\n        1,\n        2", "\n        1,\n        2,\n        2"},
       })
    EXPECT_FALSE(is_streamed(forged(from, to))) << from << " -> " << to;
}

TEST(ManifestStream, BucketsInAnotherOrderAreReadAsJson) {
  TableState one("holdings"), other("holdings");
  one.add(part(0, 'a', 1));
  other.add(part(3, 'c', 1));
  for (TableState* state : {&one, &other}) {
    state->learn({schema_id(columns()), 1, columns()});
    state->position = 2;
    state->position_id = std::string(32, 'd');
  }
  const auto partition = [](const TableState& state) {
    const std::string text = encode_manifest(state);
    const std::size_t begin = text.find("\n    \"0000"), end = text.find("\n  },\n  \"last_seq\"");
    return text.substr(begin, end - begin);
  };
  const std::string first = partition(one), second = partition(other);
  const std::string whole = encode_manifest(one);
  const std::string both = replaced(whole.substr(0, whole.find(seal_mark)), first, second + ',' + first);
  const std::string text = sealed(replaced(both, R"("part_count": 1)", R"("part_count": 2)"));
  EXPECT_FALSE(is_streamed(text));
  EXPECT_EQ(open(text).buckets().size(), 2);
}

TEST(ManifestStream, AFileThatIsShorterThanItSaysIsNotTaken) {
  class Shrinking final : public Reader {
   public:
    std::int64_t size() const override { return file_.size(); }
    std::int64_t read_at(std::int64_t offset, std::int64_t length, void* out) override {
      const std::int64_t there = file_.size() / 2;
      return file_.read_at(offset, std::clamp<std::int64_t>(there - offset, 0, length), out);
    }
    TextReader file_{encode_manifest(many(500))};
  } file;
  EXPECT_FALSE(stream_manifest(file, 100).has_value());
  EXPECT_THROW(open_manifest(file, "holdings", "manifest.json", 100), IoError);
}

TEST(ManifestStream, AListToPlanFromIsThatOfTheRecords) {
  TableState packed = open(encode_manifest(many(300))), records = many(300);
  const auto told = [](const TableState& state) {
    std::vector<std::string> lines;
    const auto list = state.list();
    for (const PackedPart& one : list->parts)
      lines.push_back(std::to_string(one.bucket) + ' ' + file_name(one) + ' ' + std::to_string(one.rows) +
                      ' ' + std::to_string(one.tick_min) + ' ' + std::to_string(one.seq) + ' ' +
                      checksum_text(one) + ' ' + list->schemas[one.schema]);
    return lines;
  };
  EXPECT_EQ(told(packed), told(records));
  Commit commit;
  commit.seq = 3;
  commit.id = std::string(32, 'e');
  commit.time = time_text;
  commit.tables.push_back({.table = "holdings", .schemas = {}, .added = {}, .removed = {}, .condemned = {}});
  for (const std::int64_t bucket : {7, 3, 0, 900}) {
    commit.tables[0].added.push_back(part(bucket, 'e', 0));
    commit.tables[0].added.back().meta.path = part_file(std::string(31, 'e') + std::to_string(bucket % 10));
    if (bucket == 900) commit.tables[0].added.back().meta.path = part_file(std::string(31, 'f') + "0");
  }
  for (TableState* state : {&packed, &records}) state->apply(commit);
  EXPECT_EQ(told(packed), told(records));
  EXPECT_EQ(told(packed).size(), 307);
  for (Commit next :
       {commit_after(), commit}) {  // one that removes and names one part twice; one that came already
    next.seq = packed.position + 1;
    for (TableState* state : {&packed, &records}) state->apply(next);
    EXPECT_EQ(told(packed), told(records));
  }
  EXPECT_EQ(encode_manifest(packed), encode_manifest(records));
}

TEST(ManifestFile, DamageElsewhereIsFoundAtOnce) {
  EXPECT_THROW(open(forged(R"("last_seq": 2)", R"("last_seq": -2)")), IoManifestError);
  EXPECT_THROW(open(forged(R"("table": "h)", R"("table": "g)")), IoManifestError);
  EXPECT_THROW(open(replaced(encode_manifest(state()), R"("rows": 10)", R"("rows": 11)")), IoManifestError);
  EXPECT_THROW(open(replaced(older(), R"("tick_max": 201, "c)", R"("tick_max": 301, "c)")), IoManifestError);
}

TEST(ManifestFile, WithoutACountOrInAnotherLayoutItIsReadAtOnce) {
  const std::string uncounted = forged(R"(  "part_count": 3,
)",
                                       "");
  const std::string indented = forged(R"(
  "partitions": {
)",
                                      R"(
   "partitions": {
)");
  for (const std::string& text : {uncounted, indented, older()}) {
    TableState opened = open(text), read = decode(text);
    EXPECT_EQ(encode_manifest(opened), encode_manifest(read));
    EXPECT_EQ(opened.parts(), read.parts());
  }
}

TEST(ManifestFile, TextsThatNeedEscapesAreWrittenAsJson) {
  TableState odd("holdings");
  PartRecord named = part(0, 'a', 1);
  named.meta.created_at = "\"\xc3\xa4\n\\";
  odd.add(named);
  const std::string text = encode_manifest(odd);
  EXPECT_NE(text.find(R"("created_at": "\"\u00e4\n\\")"), std::string::npos) << text;
  EXPECT_EQ(decode(text).buckets().at(0).at(0).meta.created_at, named.meta.created_at);
}

TEST(ManifestFile, OfTheOlderPackageIsReadWithoutChecksumsAndSchemas) {
  const TableState read = decode(older());
  EXPECT_EQ(read.manifest_position, -1);
  EXPECT_EQ(read.position, 0);
  EXPECT_EQ(read.created_at, "2025-09-20T00:00:00+00:00");
  EXPECT_EQ(read.updated_at, "");
  EXPECT_EQ(read.unknown_parts(), 1);
  EXPECT_EQ(read.buckets().at(2).at(0).meta.rows, 3);
  EXPECT_EQ(read.buckets().at(2).at(0).seq, 0);
  EXPECT_EQ(decode(R"({"table": "holdings", "partitions": null})").parts(), 0);
}

TEST(ManifestFile, OneFileInTwoBucketsIsDamage) {
  const auto also_in_3 = [](const std::string& file) {
    return replaced(older(), R"("schemas": 5, "note": ["x"]})", R"("note": ["x"]},
    "000003": {"bucket_id": 3, "state": "ready", "tick_min": 300, "tick_max": 301, "row_count": 3, "byte_size": 900,
      "parts": [{"path": ")" + file + R"(", "rows": 3, "bytes": 900, "tick_min": 300, "tick_max": 301,
                 "created_at": "2025-09-20T00:00:00+00:00"}]})");
  };
  EXPECT_EQ(decode(also_in_3(part_file(std::string(32, 'b')))).parts(), 2);
  expect_damage(also_in_3(part_file(std::string(32, 'a'))), "path");
  expect_damage(forged(part_file(std::string(32, 'c')), part_file(std::string(32, 'a'))), "path");
}

TEST(TableState, ANameOfAnotherBucketAddsNoEmptyOne) {
  TableState state("holdings");
  PartRecord part;
  part.meta = {part_file(std::string(32, 'a')), 3, 30, 200, 202, "now"};
  part.bucket = 2;
  state.add(part);
  PartRecord again = part;
  again.bucket = 3;
  state.add(again);
  EXPECT_EQ(state.buckets().size(), 1U);
  EXPECT_EQ(state.manifest().partitions.size(), 1U);
  state.remove({3, part.meta.path});
  EXPECT_TRUE(state.holds(part.meta.path));
  state.remove({2, part.meta.path});
  EXPECT_FALSE(state.holds(part.meta.path));
  EXPECT_TRUE(state.buckets().empty());
}

TEST(ManifestFile, OfTheOlderPackageIsCheckedToo) {
  expect_damage(replaced(older(), R"("rows": 3)", R"("rows": 4)"), "row_count");
  expect_damage(replaced(older(), R"("rows": 3)", R"("rows": 3.0)"), "rows");
  expect_damage(replaced(older(), R"("000002")", R"("2")"), "bucket_id");
  expect_damage(replaced(older(), R"(holdings)", R"(hold\ud800ings)"), "");
  expect_damage(older() + "x", "");
  expect_damage("[]", "");
  expect_damage("7", "");
  expect_damage("", "");
}

}  // namespace
}  // namespace crv::io
