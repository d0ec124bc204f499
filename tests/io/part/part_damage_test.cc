// Parts whose bytes are not what was written. Run with sanitizers, too.
#include <random>

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <gtest/gtest.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include "io/support/part_support.h"
#include "io/support/sim_os.h"

namespace crv::io {
namespace {

using arrow::field;

std::shared_ptr<arrow::Table> sample() {
  std::string ticks, numbers, texts, lists;
  for (int i = 0; i < 60; ++i) {
    const std::string comma = i == 0 ? "" : ",";
    ticks += comma + std::to_string(i / 3);
    numbers += comma + (i % 7 == 0 ? "null" : std::to_string(i) + ".25");
    texts += comma + "\"tok_" + std::to_string(i % 5) + "\"";
    lists += comma + (i % 4 == 0 ? "null" : "{\"xs\": [" + std::to_string(i) + ", null], \"e\": {}}");
  }
  return table_of({{"tick", arrow::int64(), "[" + ticks + "]"},
                   {"price", arrow::float64(), "[" + numbers + "]"},
                   {"name", arrow::utf8(), "[" + texts + "]"},
                   {"nest",
                    arrow::struct_({field("xs", arrow::list(arrow::int64())),
                                    field("e", arrow::struct_({field("_empty", arrow::boolean())}))}),
                    "[" + lists + "]"}});
}

class DamagedPart : public testing::Test {
 protected:
  void SetUp() override {
    const auto rows = sample();
    EncodeSettings settings;
    settings.row_group_size = 25;
    checksum_ = encode(storage_, *rows, settings).checksum;
    whole_ = storage_.objects.at(kPart);
    query_.wanted = from_arrow(*rows->schema());
    query_.tick_min = 4;
    query_.tick_max = 13;
    rows_ = decode(storage_, query_);
  }

  enum class Outcome { refused, same_rows, other_rows };

  // Reads `bytes` in every way there is: each must give rows or say by its code that the part is damaged.
  Outcome read(const std::string& bytes) {
    storage_.objects[kPart] = bytes;
    const Outcome facts = attempt([&] { read_part_facts(storage_, kPart); });
    std::shared_ptr<arrow::Table> rows;
    const Outcome reading = attempt([&] { rows = decode(storage_, query_); });
    if (reading == Outcome::refused) return Outcome::refused;
    EXPECT_NE(checksum_of(*storage_.open(kPart)), checksum_);
    return facts == Outcome::same_rows && rows->Equals(*rows_) ? Outcome::same_rows : Outcome::other_rows;
  }

  template <class Work>
  Outcome attempt(Work work) {
    try {
      work();
      return Outcome::same_rows;
    } catch (const IoReadError& error) {
      EXPECT_TRUE(error.code() == ErrorCode::part_damaged || error.code() == ErrorCode::part_foreign)
          << error.what();
      EXPECT_EQ(error.facts().path, kPart);
      return Outcome::refused;
    }
  }

  MemoryStorage storage_;
  std::string whole_, checksum_;
  PartQuery query_;
  std::shared_ptr<arrow::Table> rows_;
};

TEST_F(DamagedPart, CutOffAnywhere) {
  for (std::size_t length = 0; length < whole_.size(); ++length) {
    EXPECT_EQ(read(whole_.substr(0, length)), Outcome::refused) << length;
  }
}

// Where the pages of all columns end: what follows is indexes and the footer.
std::size_t end_of_pages(const std::string& bytes) {
  const auto metadata = parquet::ParquetFileReader::Open(
                            std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes)))
                            ->metadata();
  const auto last =
      metadata->RowGroup(metadata->num_row_groups() - 1)->ColumnChunk(metadata->num_columns() - 1);
  const std::int64_t begin =
      last->has_dictionary_page() ? last->dictionary_page_offset() : last->data_page_offset();
  return static_cast<std::size_t>(begin + last->total_compressed_size());
}

TEST_F(DamagedPart, OneByteChangedAnywhere) {
  constexpr int kFlips[] = {0x01, 0x80, 0xff};
  const std::size_t pages = end_of_pages(whole_);
  ASSERT_GT(pages, whole_.size() / 4);
  int refused = 0;
  for (std::size_t at = 0; at < whole_.size(); ++at) {
    std::string bytes = whole_;
    bytes[at] = static_cast<char>(bytes[at] ^ kFlips[at % 3]);
    const Outcome outcome = read(bytes);
    refused += outcome == Outcome::refused ? 1 : 0;
    // Pages carry checksums, so a change there is never taken for other rows.
    EXPECT_FALSE(at < pages && outcome == Outcome::other_rows) << at;
  }
  EXPECT_GT(refused, static_cast<int>(pages) / 2);
}

TEST_F(DamagedPart, ManyBytesChanged) {
  std::mt19937_64 random(test_seed());
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = whole_;
    // Mostly in the footer, where every byte means something.
    const std::size_t from = round % 4 == 0 ? 0 : bytes.size() / 2;
    for (std::size_t n = 1 + below(6); n > 0; --n)
      bytes[from + below(bytes.size() - from)] = static_cast<char>(below(256));
    if (bytes != whole_) read(bytes);
  }
}

TEST_F(DamagedPart, WhatIsNoParquetAtAll) {
  for (const std::string& bytes :
       {std::string(), std::string("PAR1"), std::string("PAR1PAR1PAR1"), std::string(1000, '\0'),
        std::string("PAR1") + std::string(4, '\xff') + "PAR1", std::string("{\"json\": true}"),
        whole_ + "x"}) {
    EXPECT_EQ(read(bytes), Outcome::refused) << bytes.size();
  }
}

TEST_F(DamagedPart, PagesAreCheckedAgainstTheirChecksums) {
  // Text is compressed here as itself, so that a changed byte would be another text.
  EncodeSettings settings;
  settings.compression = Compression::snappy;
  const auto rows =
      table_of({{"tick", arrow::int64(), "[1]"}, {"s", arrow::utf8(), R"(["an unmistakable text"])"}});
  encode(storage_, *rows, settings);
  std::string bytes = storage_.objects.at(kPart);
  const std::size_t at = bytes.find("unmistakable");
  ASSERT_NE(at, std::string::npos);
  bytes[at] = 'U';
  storage_.objects[kPart] = bytes;
  PartQuery query;
  query.wanted = from_arrow(*rows->schema());
  try {
    decode(storage_, query);
    FAIL();
  } catch (const IoReadError& error) {
    EXPECT_EQ(error.code(), ErrorCode::part_damaged);
  }
}

// Gives part of the object, then fails as a disk does.
class FailingStorage : public MemoryStorage {
 public:
  std::int64_t fails_from = INT64_MAX;
  std::unique_ptr<Reader> open(const std::string& path) override {
    auto reader = MemoryStorage::open(path);
    if (reader == nullptr) return nullptr;
    return std::make_unique<FailingReader>(std::move(reader), fails_from);
  }

 private:
  class FailingReader : public Reader {
   public:
    FailingReader(std::unique_ptr<Reader> reader, std::int64_t from)
        : reader_(std::move(reader)), from_(from) {}
    std::int64_t size() const override { return reader_->size(); }
    std::int64_t read_at(std::int64_t offset, std::int64_t length, void* out) override {
      if (from_-- <= 0) {
        ErrorFacts facts;
        facts.os_error = 5;
        facts.path = "the disk";
        raise(ErrorCode::read_failed, "the disk failed", facts);
      }
      return reader_->read_at(offset, length, out);
    }

   private:
    std::unique_ptr<Reader> reader_;
    std::int64_t from_;
  };
};

TEST(FailingDisk, ItsErrorComesOutAsItWas) {
  FailingStorage storage;
  const auto rows = sample();
  encode(storage, *rows);
  PartQuery query;
  query.wanted = from_arrow(*rows->schema());
  query.tick_min = 1;
  std::int64_t reads = 0;
  for (bool failed = true; failed; ++reads) {
    storage.fails_from = reads;
    try {
      decode(storage, query);
      failed = false;
    } catch (const IoReadError& error) {
      EXPECT_EQ(error.code(), ErrorCode::read_failed);
      EXPECT_STREQ(error.what(), "the disk failed");
      EXPECT_EQ(error.facts().os_error, 5);
    }
  }
  EXPECT_GT(reads, 3);
}

}  // namespace
}  // namespace crv::io
