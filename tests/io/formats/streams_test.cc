#include "io/formats/streams.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <arrow/buffer.h>
#include <gtest/gtest.h>

#include "crv/core/error.h"
#include "io/arrow/arrow_types.h"
#include "io/support/temp_dir.h"

namespace crv::io {
namespace {

class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  }
  ~Pipe() {
    end();
    ::close(ends_[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int reading() const { return ends_[0]; }
  void put(const std::string& text) {
    ASSERT_EQ(::write(ends_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void end() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_{};
};

std::string contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void put(Output& output, const std::string& text) {
  check(output.Write(text.data(), static_cast<std::int64_t>(text.size())), ErrorCode::write_failed);
}

std::size_t files_in(const TempDir& folder) {
  const std::filesystem::directory_iterator entries(folder.path());
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

TEST(Lines, ComeAsSoonAsTheyAreThere) {
  Pipe pipe;
  FdInput input(pipe.reading(), "pipe");
  LineReader lines(input);
  pipe.put("one\ntwo");
  EXPECT_EQ(lines.next(), "one");
  pipe.put("\n");
  EXPECT_EQ(lines.next(), "two");
  EXPECT_EQ(lines.number(), 2);
  pipe.end();
  EXPECT_EQ(lines.next(), std::nullopt);
}

TEST(Lines, EndAsOnAnySystem) {
  Pipe pipe;
  pipe.put(
      "\xEF\xBB\xBF"
      "a\r\n\r\n\nb\rc\nlast");
  pipe.end();
  FdInput input(pipe.reading(), "pipe");
  LineReader lines(input);
  std::vector<std::string> found;
  while (const auto line = lines.next()) found.emplace_back(*line);
  EXPECT_EQ(found, (std::vector<std::string>{"a", "", "", "b\rc", "last"}));
  EXPECT_EQ(lines.number(), 5);
}

TEST(Lines, MayBeOfAnyLength) {
  const TempDir folder;
  const std::string path = folder.path() + "/lines";
  const std::string word(100'003, 'x');
  std::ofstream(path) << word << '\n' << word << word << "\ny\n";
  const auto input = FdInput::open(path);
  LineReader lines(*input);
  EXPECT_EQ(lines.next(), word);
  EXPECT_EQ(lines.next(), word + word);
  EXPECT_EQ(lines.next(), "y");
  EXPECT_EQ(lines.next(), std::nullopt);
  EXPECT_EQ(input->position(), input->size());
}

TEST(Input, IsReadOnceAfterAPeek) {
  Pipe pipe;
  pipe.put("PAR1 and more");
  pipe.end();
  FdInput input(pipe.reading(), "pipe");
  EXPECT_EQ(input.peek(4), "PAR1");
  EXPECT_EQ(input.peek(100), "PAR1 and more");
  EXPECT_EQ(input.read_all(), "PAR1 and more");
  EXPECT_EQ(input.size(), -1);
}

TEST(Input, FillsWhatArrowAsksFor) {
  Pipe pipe;
  pipe.put("ab");
  FdInput input(pipe.reading(), "pipe");
  std::thread later([&] {
    pipe.put("cd");
    pipe.end();
  });
  const auto got = check(input.Read(4), ErrorCode::read_failed);
  later.join();
  EXPECT_EQ(got->ToString(), "abcd");
  EXPECT_EQ(check(input.Read(4), ErrorCode::read_failed)->size(), 0);
}

TEST(Input, WaitingEndsWhenItIsAskedTo) {
  Pipe pipe;
  std::atomic<bool> stop = false;
  FdInput input(pipe.reading(), "pipe", [&] { return stop.load(); });
  std::thread user([&] { stop = true; });
  char byte = 0;
  try {
    input.read_some(&byte, 1);
    ADD_FAILURE();
  } catch (const IoError& error) {
    EXPECT_EQ(error.code(), ErrorCode::interrupted);
  }
  user.join();
}

TEST(Input, ErrorsOfTheSystemAreTold) {
  const TempDir folder;
  try {
    FdInput::open(folder.path() + "/none");
    ADD_FAILURE();
  } catch (const IoReadError& error) {
    EXPECT_EQ(error.facts().os_error, ENOENT);
    EXPECT_EQ(error.facts().path, folder.path() + "/none");
  }
  try {
    FdInput::open(folder.path())->read_all();
    ADD_FAILURE();
  } catch (const IoReadError& error) {
    EXPECT_EQ(error.facts().os_error, EISDIR);
  }
}

TEST(OutputFile, IsThereWholeOrNotAtAll) {
  const TempDir folder;
  const std::string path = folder.path() + "/out";
  {
    const auto output = open_output(path);
    put(*output, "half");
    EXPECT_FALSE(std::filesystem::exists(path));
  }
  EXPECT_EQ(files_in(folder), 0U);
  const auto output = open_output(path);
  put(*output, "who");
  put(*output, "le");
  output->finish();
  EXPECT_EQ(contents(path), "whole");
  EXPECT_EQ(files_in(folder), 1U);
}

TEST(OutputFile, ReplacesAndKeepsTheMode) {
  const TempDir folder;
  const std::string path = folder.path() + "/out";
  std::ofstream(path) << "old";
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  std::filesystem::create_symlink("out", folder.path() + "/link");
  const auto output = open_output(folder.path() + "/link");
  put(*output, "new");
  EXPECT_EQ(contents(path), "old");
  output->finish();
  EXPECT_EQ(contents(path), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder.path() + "/link"));
  EXPECT_EQ(static_cast<int>(std::filesystem::status(path).permissions()), 0640);
}

TEST(OutputFile, AFullDeviceIsAnErrorAndIsNotReplaced) {
  const auto output = open_output("/dev/full");
  try {
    put(*output, "x");
    ADD_FAILURE();
  } catch (const IoWriteError& error) {
    EXPECT_EQ(error.facts().os_error, ENOSPC);
  }
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

TEST(OutputFile, AReaderThatWentIsToldByItsErrno) {
  const TempDir folder;
  const std::string path = folder.path() + "/fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const auto output = open_output(path);
  ::close(reader);
  try {
    put(*output, "x");
    ADD_FAILURE();
  } catch (const IoWriteError& error) {
    EXPECT_EQ(error.facts().os_error, EPIPE);
  }
  std::signal(SIGPIPE, before);
}

}  // namespace
}  // namespace crv::io
