// A file that holds a text.
#pragma once

#include <cstdint>
#include <iterator>
#include <string>
#include <utility>

#include "io/storage/storage.h"

namespace crv::io {

class TextReader final : public Reader {
 public:
  explicit TextReader(std::string text) : text_(std::move(text)) {}
  std::int64_t size() const override { return std::ssize(text_); }
  std::int64_t read_at(std::int64_t offset, std::int64_t length, void* out) override {
    if (offset >= size()) return 0;
    return static_cast<std::int64_t>(text_.copy(static_cast<char*>(out), static_cast<std::size_t>(length),
                                                static_cast<std::size_t>(offset)));
  }

 private:
  std::string text_;
};

}  // namespace crv::io
