#include "plumbline/spec/schema.hpp"

#include <gtest/gtest.h>

#include "tests/support/netns.hpp"

namespace plumbline::test {

TEST(SchemaVerb, PrintsTheSchemaInEveryFormat) {
  for (const char* format : {"text", "json"}) {
    const auto ran = run({PLUMBLINE_BINARY, "--format", format, "schema"});
    EXPECT_EQ(ran.status, 0);
    EXPECT_EQ(ran.output, spec::schema());
  }
}

TEST(SchemaVerb, TakesNoSpec) {
  EXPECT_EQ(run({PLUMBLINE_BINARY, "schema", "host.json"}).status, 64);
}

}  // namespace plumbline::test
