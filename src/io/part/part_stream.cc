#include "io/part/part_stream.h"

#include <algorithm>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include "io/arrow/arrow_types.h"
#include "io/part/part.h"

namespace crv::io {

std::string checksum_of(Reader& object) {
  // One byte more than a small object has tells at once that it ends there.
  const std::int64_t length = std::min<std::int64_t>(object.size() + 1, 1 << 18);
  std::vector<char> block(static_cast<std::size_t>(length));
  Checksum checksum;
  for (std::int64_t offset = 0;;) {
    const std::int64_t got = object.read_at(offset, length, block.data());
    checksum.update(block.data(), got);
    offset += got;
    if (got < length) return checksum.hex();
  }
}

std::string checksum_of(Storage& storage, const std::string& path) {
  const std::unique_ptr<Reader> reader = storage.open(path);
  if (!reader) raise(ErrorCode::part_missing, path + ": the part is not there", {.path = path});
  return checksum_of(*reader);
}

arrow::Status PartOutput::Write(const void* data, std::int64_t length) {
  if (!failure_.ok()) return failure_;
  try {
    writer_.write(data, length);
  } catch (...) {
    failure_ = status_of(std::current_exception());
    return failure_;
  }
  checksum_.update(data, length);
  bytes_ += length;
  return arrow::Status::OK();
}

arrow::Status PartOutput::Close() {
  closed_ = true;
  return failure_;
}

arrow::Result<std::int64_t> PartInput::clamp(std::int64_t position, std::int64_t length) const {
  if (position < 0 || length < 0 || position > size_)
    return arrow::Status::Invalid("it names bytes ", position, " and ", length, " more, but has ", size_);
  return std::min(length, size_ - position);
}

arrow::Result<std::int64_t> PartInput::ReadAt(std::int64_t position, std::int64_t length, void* out) {
  ARROW_ASSIGN_OR_RAISE(const std::int64_t wanted, clamp(position, length));
  try {
    return reader_->read_at(position, wanted, out);
  } catch (...) {
    return status_of(std::current_exception());
  }
}

arrow::Result<std::shared_ptr<arrow::Buffer>> PartInput::ReadAt(std::int64_t position, std::int64_t length) {
  ARROW_ASSIGN_OR_RAISE(const std::int64_t wanted, clamp(position, length));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::ResizableBuffer> buffer,
                        arrow::AllocateResizableBuffer(wanted));
  ARROW_ASSIGN_OR_RAISE(const std::int64_t got, ReadAt(position, wanted, buffer->mutable_data()));
  ARROW_RETURN_NOT_OK(buffer->Resize(got, /*shrink_to_fit=*/false));
  return buffer;
}

arrow::Result<std::int64_t> PartInput::Read(std::int64_t length, void* out) {
  ARROW_ASSIGN_OR_RAISE(const std::int64_t got, ReadAt(position_, length, out));
  position_ += got;
  return got;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> PartInput::Read(std::int64_t length) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer, ReadAt(position_, length));
  position_ += buffer->size();
  return buffer;
}

arrow::Status PartInput::Seek(std::int64_t position) {
  ARROW_RETURN_NOT_OK(clamp(position, 0).status());
  position_ = position;
  return arrow::Status::OK();
}

arrow::Status PartInput::Close() {
  closed_ = true;
  return arrow::Status::OK();
}

}  // namespace crv::io
