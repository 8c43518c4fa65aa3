#include "plumbline/base/diagnostics.hpp"

#include <gtest/gtest.h>

#include <set>

namespace plumbline {
namespace {

TEST(Diagnostic, SaysWhereWhatAndAt) {
  const auto file = std::make_shared<const std::string>("host.json");
  EXPECT_EQ(format(Diagnostic{Code::unknown_key, "no key 'mut'", {file, 12, 5}, "/links/eth0/mut"}),
            "host.json:12:5: UNKNOWN_KEY: no key 'mut' (at /links/eth0/mut)");
  EXPECT_EQ(format(Diagnostic{Code::locked, "busy", {}, {}}), "LOCKED: busy");
}

TEST(Diagnostic, CannotMoveTheCursorOrAddALine) {
  const Diagnostic hostile{Code::invalid_link, "a\nb\x1b[2J\x7f\xc2\x9b", {}, "/\r"};
  const std::string text = format(hostile);
  EXPECT_EQ(text, "INVALID_LINK: a\\x0ab\\x1b[2J\\x7f\\xc2\\x9b (at /\\x0d)");
}

TEST(Printable, KeepsTextAndEscapesWhatIsNone) {
  EXPECT_EQ(printable("gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\xa7"),
            "gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\xa7");
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
}

TEST(Printable, LeavesNothingThatMakesALineReadAsAnother) {
  for (const char* text : {"\u202e", "\u2066", "\u200b", "\u200f", "\u2028", "\u061c", "\ufeff"}) {
    EXPECT_TRUE(printable(text).starts_with("\\x")) << text;
  }
  for (const char* text : {"\u2027", "\u2030", "\u2070", "\u2010", "\u061b", "\ufefe"}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(IsUtf8, RefusesSurrogatesAndOverlongForms) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("\xef\xbf\xbf\xf4\x8f\xbf\xbf"));
  for (const char* text : {"\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                           "\xf4\x90\x80\x80", "\x80", "\xe2\x82"}) {
    EXPECT_FALSE(is_utf8(text)) << printable(text);
  }
}

TEST(Code, HasAWordOfItsOwn) {
  std::set<std::string_view> words;
  constexpr auto last = static_cast<int>(Code::more_faults);
  for (int i = 0; i <= last; ++i) words.insert(format(static_cast<Code>(i)));
  EXPECT_EQ(words.size(), static_cast<std::size_t>(last) + 1);
  EXPECT_FALSE(words.contains("UNKNOWN"));
}

TEST(Diagnostics, KeepOnlySoManyAndSayHowManyMore) {
  Diagnostics found;
  for (std::size_t i = 0; i < max_diagnostics + 3; ++i) found.error(Code::unknown_key, "x");
  found.warning(Code::unknown_key, "y");
  found.close();
  found.close();
  ASSERT_EQ(found.errors.size(), max_diagnostics + 1);
  EXPECT_EQ(format(found.errors.back()), "MORE_FAULTS: up to 3 more errors are not listed");
  EXPECT_EQ(found.warnings.size(), 1U);
}

TEST(Origin, ComparesNamesNotCopies) {
  const Origin a{std::make_shared<const std::string>("x"), 1, 2};
  const Origin b{std::make_shared<const std::string>("x"), 1, 2};
  EXPECT_EQ(a, b);
  EXPECT_EQ(format(a), "x:1:2");
  EXPECT_EQ(format(Origin{}), "");
}

}  // namespace
}  // namespace plumbline
