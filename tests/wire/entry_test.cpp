#include "plumbline/wire/entry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plumbline/base/mac.hpp"

namespace plumbline::wire {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A document, and what was found wrong in it.
class Opened {
 public:
  explicit Opened(std::string_view text)
      : node_(read_document(text, std::make_shared<const std::string>("f"), diagnostics_)) {
    EXPECT_TRUE(diagnostics_.ok());
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  [[nodiscard]] Entry root() { return {*node_, reading_}; }
  [[nodiscard]] std::vector<std::string> errors() const {
    std::vector<std::string> lines;
    for (const auto& error : diagnostics_.errors) lines.push_back(format(error));
    return lines;
  }

 private:
  Diagnostics diagnostics_;
  TableNames tables_;
  Reading reading_{diagnostics_, tables_};
  std::optional<Node> node_;
};

}  // namespace

TEST(Entry, ReadsValuesOfTheTypeAskedFor) {
  Opened document(R"({"yes": true, "n": -5, "text": "t", "mac": "02:00:00:00:00:01"})");
  const auto root = document.root();
  EXPECT_EQ(root.boolean("yes"), true);
  EXPECT_EQ(root.integer<int>("n", -5, -5), -5);
  EXPECT_EQ(root.string("text"), "t");
  EXPECT_EQ(root.parsed<Mac>("mac", Code::invalid_link, "a MAC address"),
            Mac::parse("02:00:00:00:00:01"));
  EXPECT_THAT(document.errors(), IsEmpty());
}

TEST(Entry, SaysNothingAboutMembersThatAreNotThere) {
  Opened document("{}");
  const auto root = document.root();
  EXPECT_EQ(root.boolean("a"), std::nullopt);
  EXPECT_EQ(root.string("a"), std::nullopt);
  EXPECT_EQ(root.integer<int>("a", 0, 1), std::nullopt);
  EXPECT_FALSE(root.find("a"));
  EXPECT_FALSE(root.has("a"));
  EXPECT_THAT(document.errors(), IsEmpty());
}

TEST(Entry, ReportsAWrongTypeWithItsPlaceAndPointer) {
  Opened document("{\"a/b\": {\"~\": [true,\n 1]}}");
  document.root().find("a/b")->find("~")->for_each_element(
      [](const Entry& entry) { EXPECT_FALSE(entry.string()); });
  EXPECT_THAT(document.errors(),
              ElementsAre("f:1:16: WRONG_TYPE: expected text, not a boolean (at /a~1b/~0/0)",
                          "f:2:2: WRONG_TYPE: expected text, not a number (at /a~1b/~0/1)"));
}

TEST(Entry, NamesTheTypeItFound) {
  Opened document(R"([null, true, 1, 18446744073709551615, 1.5, 1e400, "x", [], {}])");
  document.root().for_each_element([](const Entry& entry) {
    static_cast<void>(entry.string());
    static_cast<void>(entry.boolean());
    static_cast<void>(entry.is_object());
  });
  // Nine values, three questions, and three right answers.
  EXPECT_EQ(document.errors().size(), 24U);
  EXPECT_THAT(
      document.errors(),
      ::testing::Contains("f:1:60: WRONG_TYPE: expected true or false, not an object (at /8)"));
}

TEST(Entry, RefusesNumbersOutOfRangeOfWhateverSize) {
  Opened document("[-1, 256, 18446744073709551615, 18446744073709551616, 1e400]");
  document.root().for_each_element([](const Entry& entry) { EXPECT_FALSE(entry.integer(0, 255)); });
  EXPECT_THAT(
      document.errors(),
      ElementsAre(
          "f:1:2: OUT_OF_RANGE: expected a number from 0 to 255, not -1 (at /0)",
          "f:1:6: OUT_OF_RANGE: expected a number from 0 to 255, not 256 (at /1)",
          "f:1:11: OUT_OF_RANGE: expected a number from 0 to 255, not one this large (at /2)",
          "f:1:33: OUT_OF_RANGE: expected a number from 0 to 255, not one this large (at /3)",
          "f:1:55: OUT_OF_RANGE: expected a number from 0 to 255, not one this large (at /4)"));
}

TEST(Entry, TakesNoFractionForAnInteger) {
  Opened document(R"([1.0, 1e2, "1", true])");
  document.root().for_each_element([](const Entry& entry) { EXPECT_FALSE(entry.integer(0, 255)); });
  EXPECT_EQ(document.errors().size(), 4U);
  for (const auto& error : document.errors())
    EXPECT_THAT(error, ::testing::HasSubstr("WRONG_TYPE"));
}

TEST(Entry, ReportsUnknownKeysAndGuessesWhatWasMeant) {
  Opened document(R"({"mtu": 1, "adresses": [], "Master": "x", "colour": 1})");
  document.root().only({"mtu", "addresses", "master"});
  EXPECT_THAT(
      document.errors(),
      ElementsAre(
          "f:1:12: UNKNOWN_KEY: unknown key 'adresses'; did you mean 'addresses'? (at /adresses)",
          "f:1:28: UNKNOWN_KEY: unknown key 'Master'; did you mean 'master'? (at /Master)",
          "f:1:43: UNKNOWN_KEY: unknown key 'colour' (at /colour)"));
}

TEST(Entry, ReportsAMissingKeyAtItsObject) {
  Opened document(R"({"a": {}})");
  EXPECT_FALSE(document.root().find("a")->require("kind"));
  EXPECT_THAT(document.errors(), ElementsAre("f:1:7: MISSING_KEY: 'kind' is missing (at /a)"));
}

TEST(Entry, ReportsOnceWhatIsNoObjectHoweverOftenItIsAsked) {
  Opened document("[7]");
  document.root().for_each_element([](const Entry& entry) {
    entry.only({"a"});
    EXPECT_FALSE(entry.is_object());
    EXPECT_FALSE(entry.require("a"));
    entry.for_each_member([](const Entry&) { ADD_FAILURE(); });
  });
  EXPECT_THAT(document.errors(),
              ElementsAre("f:1:2: WRONG_TYPE: expected an object, not a number (at /0)"));
}

TEST(Entry, VisitsMembersInTheOrderOfTheFile) {
  Opened document(R"({"z": 1, "": 2, "a": 3})");
  std::vector<std::string> seen;
  document.root().for_each_member(
      [&](const Entry& entry) { seen.push_back(std::string(entry.key()) + entry.pointer()); });
  EXPECT_THAT(seen, ElementsAre("z/z", "/", "a/a"));
}

TEST(Entry, ShowsWhatAParserDidNotTake) {
  Opened document(R"({"mac": "02:00"})");
  EXPECT_FALSE(document.root().parsed<Mac>("mac", Code::invalid_link, "a MAC address"));
  EXPECT_THAT(document.errors(),
              ElementsAre("f:1:9: INVALID_LINK: expected a MAC address, not '02:00' (at /mac)"));
}

}  // namespace plumbline::wire
