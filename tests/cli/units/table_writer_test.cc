#include "output/table_writer.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "io/support/arrow_json.h"
#include "io/support/temp_dir.h"

namespace crv::cli {
namespace {

std::string contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::shared_ptr<arrow::RecordBatch> batch(const std::string& ticks, const std::string& notes) {
  const auto note = arrow::struct_({arrow::field("text", arrow::utf8())});
  return arrow::RecordBatch::Make(
      arrow::schema({arrow::field("tick", arrow::int64()), arrow::field("agent_id", arrow::utf8()),
                     arrow::field("note", note)}),
      2,
      {io::array_of(arrow::int64(), ticks), io::array_of(arrow::utf8(), R"(["ada", "b\no"])"),
       io::array_of(note, notes)});
}

TEST(TableWriter, WritesAlignedRowsIntoAFileThatAppearsWhole) {
  const io::TempDir folder;
  const std::string path = folder.path() + "/rows.txt";
  const auto rows = batch("[7, 1000]", R"([{"text": "x"}, null])");
  const auto writer = open_table(path, *rows->schema());
  writer->write(rows);
  EXPECT_FALSE(std::filesystem::exists(path));
  writer->finish();
  EXPECT_EQ(contents(path),
            "tick  agent_id  note\n"
            "----  --------  ------------\n"
            "   7  ada       {\"text\":\"x\"}\n"
            "1000  b\\no\n");
}

TEST(TableWriter, CutsLongCells) {
  const io::TempDir folder;
  const std::string path = folder.path() + "/rows.txt";
  const auto rows = batch("[1, 2]", R"([{"text": ")" + std::string(100, 'x') + R"("}, null])");
  const auto writer = open_table(path, *rows->schema());
  writer->write(rows);
  writer->finish();
  EXPECT_NE(contents(path).find("{\"text\":\"" + std::string(38, 'x') + "…\n"), std::string::npos)
      << contents(path);
}

}  // namespace
}  // namespace crv::cli
