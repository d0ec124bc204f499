#include "io/formats/streams.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <arrow/buffer.h>

#include "crv/core/error.h"
#include "io/arrow/arrow_types.h"
#include "io/storage/paths.h"

namespace crv::io {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 16;
constexpr int kStopPollMs = 100;
constexpr int kStandardInput = 0, kStandardOutput = 1;

// What compresses a file, by the bytes that it puts first.
struct Packer {
  std::string_view first_bytes, from_fifth_on;
  arrow::Compression::type codec;
};
using namespace std::string_view_literals;
constexpr std::array<Packer, 4> kPackers{{
    {"\x1f\x8b\x08"sv, ""sv, arrow::Compression::GZIP},
    {"\x28\xb5\x2f\xfd"sv, ""sv, arrow::Compression::ZSTD},
    {"\x04\x22\x4d\x18"sv, ""sv, arrow::Compression::LZ4_FRAME},
    {"BZh"sv, "1AY&SY"sv, arrow::Compression::BZ2},
}};
constexpr std::size_t kPackerBytes = 10, kFifth = 4;

// `failed`: -errno, as Os gives it.
[[noreturn]] void raise_errno(ErrorCode code, const std::string& what, const std::string& path,
                              std::int64_t failed) {
  ErrorFacts facts;
  facts.path = path;
  facts.os_error = static_cast<int>(-failed);
  raise(code, what + ": " + std::generic_category().message(facts.os_error), facts);
}

}  // namespace

FdInput::FdInput(int fd, std::string name, std::function<bool()> stop, std::shared_ptr<Os> os)
    : os_(std::move(os)), fd_(fd), name_(std::move(name)), stop_(std::move(stop)) {}

FdInput::~FdInput() {
  if (owned_ && fd_ >= 0) os_->close(fd_);
}

std::shared_ptr<FdInput> FdInput::open(const std::string& path, std::function<bool()> stop,
                                       std::shared_ptr<Os> os) {
  if (path == "-")
    return std::make_shared<FdInput>(kStandardInput, "standard input", std::move(stop), std::move(os));
  int fd = os->open_to_read(path);
  while (fd == -EINTR) {  // of a pipe that nobody writes to yet
    if (stop && stop()) raise(ErrorCode::interrupted, "stopped while opening " + path);
    fd = os->open_to_read(path);
  }
  if (fd < 0) raise_errno(ErrorCode::read_failed, "cannot open " + path, path, fd);
  auto input = std::make_shared<FdInput>(fd, path, std::move(stop), std::move(os));
  input->owned_ = true;
  return input;
}

std::int64_t FdInput::size() const {
  OsStat facts;
  return os_->fstat(fd_, facts) == 0 && facts.is_file ? facts.size : -1;
}

// A signal that comes just before read() blocks would go unseen until the next byte, so the wait ends now and
// then.
void FdInput::wait_for_bytes() const {
  while (true) {
    if (stop_ && stop_()) raise(ErrorCode::interrupted, "stopped while reading " + name_);
    const int ready = os_->wait_readable(fd_, kStopPollMs);
    if (ready > 0) return;
    if (ready < 0 && ready != -EINTR)
      raise_errno(ErrorCode::read_failed, "cannot read " + name_, name_, ready);
  }
}

std::int64_t FdInput::read_fd(void* out, std::int64_t length) {
  while (true) {
    wait_for_bytes();
    const std::int64_t got = os_->read(fd_, out, static_cast<std::size_t>(length));
    if (got >= 0) {
      raw_position_ += got;
      return got;
    }
    if (got != -EINTR && got != -EAGAIN)
      raise_errno(ErrorCode::read_failed, "cannot read " + name_, name_, got);
  }
}

void FdInput::unpack() {
  const std::string_view head = peek(kPackerBytes);
  const auto packer = std::find_if(kPackers.begin(), kPackers.end(), [&](const Packer& known) {
    return head.size() > kFifth && head.starts_with(known.first_bytes) &&
           head.substr(kFifth).starts_with(known.from_fifth_on);
  });
  if (packer == kPackers.end()) return;
  ErrorFacts facts;
  facts.path = name_;
  const auto codec = check(arrow::util::Codec::Create(packer->codec), ErrorCode::read_failed, facts);
  packer_ = check(codec->MakeDecompressor(), ErrorCode::read_failed, facts);
  packed_ = std::exchange(head_, {});
}

// As read_fd(), of what the bytes were before they were compressed.
std::int64_t FdInput::read_bytes(void* out, std::int64_t length) {
  if (!packer_) return read_fd(out, length);
  ErrorFacts facts;
  facts.path = name_;
  while (true) {
    if (packed_used_ == packed_.size() && !holds_more_) {
      packed_.resize(kChunk);
      packed_used_ = 0;
      packed_.resize(static_cast<std::size_t>(read_fd(packed_.data(), kChunk)));
      if (packed_.empty() && packer_->IsFinished()) return 0;
      if (packed_.empty())
        raise(ErrorCode::read_failed, name_ + " ends in the middle of its compressed data", facts);
    }
    if (packer_->IsFinished())  // another member or frame follows
      check(packer_->Reset(), ErrorCode::read_failed, facts);
    const auto done =
        check(packer_->Decompress(static_cast<std::int64_t>(packed_.size() - packed_used_),
                                  reinterpret_cast<const std::uint8_t*>(packed_.data()) + packed_used_,
                                  length, static_cast<std::uint8_t*>(out)),
              ErrorCode::read_failed, facts);
    packed_used_ += static_cast<std::size_t>(done.bytes_read);
    if (done.bytes_read == 0 && done.bytes_written == 0 && holds_more_ == done.need_more_output)
      raise(ErrorCode::read_failed, name_ + " holds compressed data that is damaged", facts);
    holds_more_ = done.need_more_output;
    if (done.bytes_written > 0) return done.bytes_written;
  }
}

std::string_view FdInput::peek(std::size_t length) {
  std::string chunk(kChunk, '\0');
  while (head_.size() < length) {
    const auto got = read_bytes(chunk.data(), static_cast<std::int64_t>(chunk.size()));
    if (got == 0) break;
    head_.append(chunk, 0, static_cast<std::size_t>(got));
  }
  return std::string_view(head_).substr(0, length);
}

std::int64_t FdInput::read_some(void* out, std::int64_t length) {
  std::int64_t got = 0;
  if (head_used_ < head_.size()) {
    const auto count = std::min(head_.size() - head_used_, static_cast<std::size_t>(length));
    std::memcpy(out, head_.data() + head_used_, count);
    head_used_ += count;
    got = static_cast<std::int64_t>(count);
  } else {
    got = read_bytes(out, length);
  }
  position_ += got;
  return got;
}

std::string FdInput::read_all() {
  std::string all;
  std::array<char, kChunk> chunk{};
  while (const auto got = read_some(chunk.data(), kChunk))
    all.append(chunk.data(), static_cast<std::size_t>(got));
  return all;
}

arrow::Status FdInput::Close() {
  return arrow::Status::OK();  // the destructor closes: nothing was written that could be lost
}

// No exception may pass through Arrow.
arrow::Result<std::int64_t> FdInput::Read(std::int64_t length, void* out) {
  std::int64_t done = 0;
  try {
    while (done < length) {
      const auto got = read_some(static_cast<char*>(out) + done, length - done);
      if (got == 0) break;
      done += got;
    }
  } catch (...) {
    return status_of(std::current_exception());
  }
  return done;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> FdInput::Read(std::int64_t length) {
  ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(length));
  ARROW_ASSIGN_OR_RAISE(const auto got, Read(length, buffer->mutable_data()));
  ARROW_RETURN_NOT_OK(buffer->Resize(got));
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

bool LineReader::fill() {
  buffer_.erase(0, begin_);
  searched_ -= begin_;
  begin_ = 0;
  const std::size_t held = buffer_.size();
  buffer_.resize(held + kChunk);
  const auto got = input_.read_some(buffer_.data() + held, kChunk);
  buffer_.resize(held + static_cast<std::size_t>(got));
  return got > 0;
}

std::optional<std::string_view> LineReader::next() {
  std::size_t end = buffer_.find('\n', searched_);
  while (end == std::string::npos) {
    searched_ = buffer_.size();
    if (!fill()) {
      if (begin_ == buffer_.size()) return std::nullopt;
      end = buffer_.size();
      break;
    }
    end = buffer_.find('\n', searched_);
  }
  std::string_view line(buffer_.data() + begin_, end - begin_);
  begin_ = std::min(end + 1, buffer_.size());
  searched_ = begin_;
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (++number_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  return line;
}

namespace {

std::string folder_of(const std::string& path) {
  const std::string parent = parent_of(path);
  return !parent.empty() ? parent : path.starts_with('/') ? "/" : ".";
}

// Bytes to a descriptor, every one checked.
class FdOutput : public Output {
 public:
  FdOutput(std::shared_ptr<Os> os, int fd, bool owned, std::string path)
      : os_(std::move(os)), fd_(fd), owned_(owned), path_(std::move(path)) {}
  ~FdOutput() override {
    if (owned_ && fd_ >= 0) os_->close(fd_);
  }
  FdOutput(const FdOutput&) = delete;
  FdOutput& operator=(const FdOutput&) = delete;

  arrow::Status Write(const void* data, std::int64_t length) override {
    try {
      put(static_cast<const char*>(data), length);
    } catch (...) {
      return status_of(std::current_exception());
    }
    return arrow::Status::OK();
  }
  arrow::Status Close() override { return arrow::Status::OK(); }  // finish() closes
  bool closed() const override { return fd_ < 0; }
  arrow::Result<std::int64_t> Tell() const override { return position_; }

  void finish() override {
    const int fd = fd_;
    if (owned_) {
      fd_ = -1;
      if (const int failed = os_->close(fd); failed != 0)
        raise_errno(ErrorCode::write_failed, "cannot close " + path_, path_, failed);
    }
  }

 protected:
  Os& os() const { return *os_; }
  int fd() const { return fd_; }
  const std::string& path() const { return path_; }

 private:
  void put(const char* data, std::int64_t length) {
    while (length > 0) {
      const std::int64_t done = os_->write(fd_, data, static_cast<std::size_t>(length));
      if (done < 0 && done != -EINTR) {
        raise_errno(ErrorCode::write_failed, "cannot write to " + (path_ == "-" ? "standard output" : path_),
                    path_, done);
      }
      if (done > 0) {
        data += done;
        length -= done;
        position_ += done;
      }
    }
  }

  std::shared_ptr<Os> os_;
  int fd_;
  bool owned_;
  std::string path_;
  std::int64_t position_ = 0;
};

// A file that is written under another name beside its own, and renamed when it is whole and durable.
class ReplacedFile : public FdOutput {
 public:
  ReplacedFile(std::shared_ptr<Os> os, int fd, std::string temporary, std::string path)
      : FdOutput(std::move(os), fd, true, std::move(path)), temporary_(std::move(temporary)) {}
  ~ReplacedFile() override {
    if (!temporary_.empty()) os().unlink(temporary_);
  }

  void finish() override {
    if (const int failed = os().fsync(fd()); failed != 0)
      raise_errno(ErrorCode::write_failed, "cannot make " + path() + " durable", path(), failed);
    FdOutput::finish();
    if (const int failed = os().rename(temporary_, path()); failed != 0)
      raise_errno(ErrorCode::write_failed, "cannot put " + path() + " in place", path(), failed);
    temporary_.clear();
    sync_folder();
  }

 private:
  void sync_folder() const {
    const std::string folder = folder_of(path());
    const int opened = os().open_folder(folder);
    if (opened < 0) raise_errno(ErrorCode::write_failed, "cannot open folder " + folder, folder, opened);
    const int failed = os().fsync(opened);
    os().close(opened);
    if (failed != 0)
      raise_errno(ErrorCode::write_failed, "cannot make " + path() + " durable", path(), failed);
  }

  std::string temporary_;
};

// `mode` of the file that stands there, if one does.
std::shared_ptr<Output> replace_file(const std::shared_ptr<Os>& os, const std::string& asked,
                                     std::optional<std::uint32_t> mode) {
  std::string path;
  if (!mode || os->real_path(asked, path) != 0) path = asked;
  const std::string temporary = join(folder_of(path), temporary_name(base_name_of(path), random_id()));
  const int fd = os->open_new(temporary);
  if (fd < 0) raise_errno(ErrorCode::write_failed, "cannot write " + path, path, fd);
  auto output = std::make_shared<ReplacedFile>(os, fd, temporary, path);
  if (const int failed = mode ? os->fchmod(fd, *mode) : 0; failed != 0)
    raise_errno(ErrorCode::write_failed, "cannot set the mode of " + path, path, failed);
  return output;
}

}  // namespace

std::shared_ptr<Output> open_output(const std::string& path, std::shared_ptr<Os> os) {
  if (path == "-") return std::make_shared<FdOutput>(std::move(os), kStandardOutput, false, path);
  OsStat facts;
  if (os->stat(path, facts) != 0) return replace_file(os, path, std::nullopt);
  if (facts.is_file) return replace_file(os, path, facts.mode);
  const int fd = os->open_to_write(path);
  if (fd < 0) raise_errno(ErrorCode::write_failed, "cannot write " + path, path, fd);
  return std::make_shared<FdOutput>(std::move(os), fd, true, path);
}

}  // namespace crv::io
