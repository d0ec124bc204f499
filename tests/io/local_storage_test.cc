#include "io/local_storage.h"

#include <gtest/gtest.h>

#include "crv/core/error.h"
#include "io/paths.h"
#include "io/storage_conformance.h"
#include "io/temp_dir.h"

namespace crv::io {
namespace {

StorageUnderTest::Instance on_disk(Durability durability) {
  auto folder = std::make_shared<TempDir>();
  return {.storage = local_storage(durability), .root = folder->path(), .keep = folder};
}

INSTANTIATE_TEST_SUITE_P(Disk, StorageConformance,
                         testing::Values(StorageUnderTest{"commit",
                                                          [] { return on_disk(Durability::commit); }},
                                         StorageUnderTest{"none", [] { return on_disk(Durability::none); }}),
                         name_of_storage);

}  // namespace
}  // namespace crv::io
