#include "output/words.h"

#include "io/formats/text_table.h"

namespace crv::cli {

std::string count_of(std::int64_t count, const std::string& one, const std::string& many) {
  return io::with_commas(count) + " " + (count == 1 ? one : many);
}

}  // namespace crv::cli
