// Arrow's streams over crv's storage, for the code of parts only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include "io/base/checksum.h"
#include "io/storage/storage.h"

namespace crv::io {

// Passes bytes on to a Writer, counting and summing them. What the Writer throws becomes a status that
// check() throws again; after that nothing more reaches the Writer, though Parquet's destructors try.
class PartOutput : public arrow::io::OutputStream {
 public:
  explicit PartOutput(Writer& writer) : writer_(writer) {}
  arrow::Status Write(const void* data, std::int64_t length) override;
  arrow::Status Close() override;  // does not finish the Writer
  arrow::Result<std::int64_t> Tell() const override { return bytes_; }
  bool closed() const override { return closed_; }

  std::int64_t bytes() const { return bytes_; }
  std::string checksum() const { return checksum_.hex(); }

 private:
  Writer& writer_;
  Checksum checksum_;
  std::int64_t bytes_ = 0;
  bool closed_ = false;
  arrow::Status failure_;
};

// A Reader as Arrow reads files. ReadAt is safe from several threads. Never reads beyond the end, so that a
// damaged length makes an error and not a huge buffer.
class PartInput : public arrow::io::RandomAccessFile {
 public:
  explicit PartInput(std::unique_ptr<Reader> reader) : reader_(std::move(reader)), size_(reader_->size()) {}
  arrow::Result<std::int64_t> ReadAt(std::int64_t position, std::int64_t length, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(std::int64_t position, std::int64_t length) override;
  arrow::Result<std::int64_t> Read(std::int64_t length, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(std::int64_t length) override;
  arrow::Result<std::int64_t> GetSize() override { return size_; }
  arrow::Status Seek(std::int64_t position) override;
  arrow::Result<std::int64_t> Tell() const override { return position_; }
  arrow::Status Close() override;
  bool closed() const override { return closed_; }

 private:
  arrow::Result<std::int64_t> clamp(std::int64_t position, std::int64_t length) const;

  std::unique_ptr<Reader> reader_;
  std::int64_t size_;
  std::int64_t position_ = 0;
  bool closed_ = false;
};

}  // namespace crv::io
