// RapidJSON under a name of crv's own. Arrow's libraries export the symbols of the JSON parser that they were
// built with, and the loader would mix them with those of any parser that is there by the same name.
#pragma once

#define RAPIDJSON_NAMESPACE crv::rapidjson
#define RAPIDJSON_NAMESPACE_BEGIN \
  namespace crv {                 \
  namespace rapidjson {
#define RAPIDJSON_NAMESPACE_END \
  }                             \
  }
#include <rapidjson/encodings.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
