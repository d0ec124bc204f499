// The elements of a JSON array in a file, one after the other, so that the whole need not be in memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "io/formats/streams.h"

namespace crv::io {

// Finds where elements end, and leaves it to a parser what is in them.
class JsonArrayReader {
 public:
  explicit JsonArrayReader(FdInput& input) : input_(input) {}

  // The text of the next element, valid until the next call; nothing after the last. Throws SchemaError
  // (bad_json) with the line where the text is no array.
  std::optional<std::string_view> next();
  std::int64_t number() const { return first_line_; }  // of the line on which that element begins, from 1

 private:
  int peek();  // the next character; -1 at the end
  void take();
  int skip_space();
  void take_element();
  [[noreturn]] void fail(const std::string& what) const;

  FdInput& input_;
  std::string chunk_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1, first_line_ = 1;
  bool begun_ = false, ended_ = false;
  std::string element_;
};

}  // namespace crv::io
