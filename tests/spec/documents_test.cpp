// The pages about the spec say what is so: their examples are loaded, their codes are all there.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "tests/spec/loaded.hpp"

namespace plumbline::spec {

using ::testing::IsEmpty;

namespace {

/// An example of a page, and the last heading before it.
struct Example {
  std::string heading;
  std::string text;
};

struct Page {
  std::vector<std::string> headings;
  std::vector<Example> examples;
};

Page read_page(const std::string& name) {
  std::ifstream stream(std::string(PLUMBLINE_SOURCE_DIR) + "/docs/" + name);
  EXPECT_TRUE(stream) << name;
  Page page;
  bool inside = false;
  for (std::string line; std::getline(stream, line);) {
    if (line == "```jsonc") {
      inside = true;
      page.examples.push_back({page.headings.empty() ? "" : page.headings.back(), ""});
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      page.examples.back().text += line + "\n";
    } else if (line.starts_with("#")) {
      page.headings.push_back(line.substr(line.find(' ') + 1));
    }
  }
  return page;
}

std::set<std::string> all_codes() {
  std::set<std::string> codes;
  for (unsigned i = 0; i < 256; ++i) {
    const auto word = format(static_cast<Code>(i));
    if (word != "UNKNOWN") codes.emplace(word);
  }
  return codes;
}

}  // namespace

TEST(SpecReference, HasExamplesThatLoad) {
  const Page page = read_page("spec-reference.md");
  EXPECT_GE(page.examples.size(), 6U);
  const std::string key = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n";
  for (const Example& example : page.examples) {
    testing::MemoryFiles files(
        {{"example.json", example.text}, {"./wg0.key", key}, {"./wg0.psk", key}});
    EXPECT_THAT(load_with(files, {"example.json"}).errors, IsEmpty()) << example.heading << "\n"
                                                                      << example.text;
  }
}

TEST(ErrorsPage, ExplainsEveryCodeAndNoOther) {
  auto codes = all_codes();
  ASSERT_GT(codes.size(), 20U);
  codes.insert("BUSY");             // of a step that failed, which is no diagnostic
  codes.insert("CANNOT_REMEMBER");  // of what plumbline keeps below /run, which is no input
  codes.insert("UNSAFE_STATE");
  codes.insert("USAGE");  // of the command line, which is no input
  std::set<std::string> explained;
  for (const auto& heading : read_page("errors.md").headings) {
    if (heading.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == std::string::npos) {
      EXPECT_TRUE(explained.insert(heading).second) << heading;
    }
  }
  EXPECT_EQ(explained, codes);
}

TEST(ErrorsPage, HasExamplesThatMakeTheErrorHappen) {
  const Page page = read_page("errors.md");
  EXPECT_GE(page.examples.size(), 18U);
  for (const Example& example : page.examples) {
    const auto loaded = load_files({{"example.json", example.text}});
    ASSERT_EQ(loaded.diagnostics.size(), 1U)
        << example.heading << ": " << ::testing::PrintToString(loaded.errors);
    EXPECT_EQ(format(loaded.diagnostics[0].code), example.heading);
  }
}

}  // namespace plumbline::spec
