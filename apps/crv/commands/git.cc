#include "commands/git.h"

#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

namespace crv::cli {
namespace {

// What a command prints, without the ends of its last lines; nothing where it fails. The command is fixed text.
std::optional<std::string> output_of(const char* command) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command, "r"), ::pclose);
  if (!pipe) return std::nullopt;
  std::string text;
  std::array<char, 256> buffer{};
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe.get()))
    text.append(buffer.data(), got);
  if (::pclose(pipe.release()) != 0) return std::nullopt;
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

io::GitState git_of_working_directory() {
  const auto sha = output_of("git rev-parse HEAD 2>/dev/null");
  const auto changes = sha ? output_of("git status --porcelain 2>/dev/null") : std::nullopt;
  return changes ? io::GitState{sha, !changes->empty()} : io::GitState{};
}

}  // namespace crv::cli
