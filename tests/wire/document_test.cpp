#include "plumbline/wire/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>

namespace plumbline::wire {
namespace {

using ::testing::HasSubstr;

struct Read {
  std::optional<Node> node;
  std::vector<Diagnostic> errors;
};

Read read(std::string_view text) {
  Diagnostics diagnostics;
  auto node = read_document(text, std::make_shared<const std::string>("f"), diagnostics);
  return {std::move(node), diagnostics.errors};
}

/// Every value of the tree with its place, in the order of the file: `1:2 object`.
void outline(const Node& node, std::string& out) {
  constexpr std::array names{"null", "bool", "int",   "uint",  "double",
                             "huge", "text", "array", "object"};
  out += std::to_string(node.origin.line) + ":" + std::to_string(node.origin.column) + " " +
         names.at(node.value.index()) + "\n";
  if (const auto* array = node.get<Array>()) {
    for (const auto& element : *array) outline(element, out);
  }
  if (const auto* object = node.get<Object>()) {
    for (const auto& member : *object) {
      out += std::to_string(member.key_origin.line) + ":" +
             std::to_string(member.key_origin.column) + " key " + member.key + "\n";
      outline(member.value, out);
    }
  }
}

std::string outline(std::string_view text) {
  const auto result = read(text);
  std::string out;
  for (const auto& error : result.errors) out += format(error) + "\n";
  if (result.node) outline(*result.node, out);
  return out;
}

const Node& only_element(const Read& result) { return result.node->get<Array>()->at(0); }

}  // namespace

TEST(ReadDocument, KnowsWhereEachValueAndKeyStarts) {
  EXPECT_EQ(outline("{\"a\": 1,\n  \"b\" : [ true, null,\n\t-2.5, \"x\"],\r\n  \"c\":{}}"),
            "1:1 object\n"
            "1:2 key a\n1:7 int\n"
            "2:3 key b\n2:9 array\n2:11 bool\n2:17 null\n3:2 double\n3:8 text\n"
            "4:3 key c\n4:7 object\n");
}

TEST(ReadDocument, CountsColumnsInBytes) {
  EXPECT_EQ(outline("[\"é\", 1]"), "1:1 array\n1:2 text\n1:8 int\n");
}

TEST(ReadDocument, TakesCommentsAndTrailingCommas) {
  EXPECT_EQ(outline("// first\n{ /* a\n b */ \"a\" /**/ : // x\n [1, 2,], }// last"),
            "2:1 object\n3:7 key a\n4:2 array\n4:3 int\n4:6 int\n");
}

TEST(ReadDocument, DoesNotTakeWhatLooksLikeACommentInAText) {
  const auto result = read(R"(["// no \" /* comment */"])");
  ASSERT_TRUE(result.node);
  EXPECT_EQ(*only_element(result).get<std::string>(), "// no \" /* comment */");
}

TEST(ReadDocument, SkipsAByteOrderMark) {
  EXPECT_EQ(outline("\xef\xbb\xbf[1]"), "1:1 array\n1:2 int\n");
}

TEST(ReadDocument, DecodesEscapes) {
  const auto result = read(R"(["\"\\\/\b\f\n\r\tA\u00e9\ud83d\ude00"])");
  ASSERT_TRUE(result.node);
  EXPECT_EQ(*only_element(result).get<std::string>(), "\"\\/\b\f\n\r\tAé😀");
}

TEST(ReadDocument, KeepsIntegersOf64BitsExactly) {
  const auto result = read("[9223372036854775807, -9223372036854775808, 18446744073709551615, -0]");
  ASSERT_TRUE(result.node);
  const auto& array = *result.node->get<Array>();
  EXPECT_EQ(*array[0].get<std::int64_t>(), INT64_MAX);
  EXPECT_EQ(*array[1].get<std::int64_t>(), INT64_MIN);
  EXPECT_EQ(*array[2].get<std::uint64_t>(), UINT64_MAX);
  EXPECT_EQ(*array[3].get<std::int64_t>(), 0);
}

TEST(ReadDocument, MarksNumbersThatNoTypeHolds) {
  for (const char* number : {"18446744073709551616", "-9223372036854775809", "1e400", "-1e400",
                             "1e99999999999", "1E+00000000000099999999999",
                             "123456789012345678901234567890123456789012345678901234567890"}) {
    const auto result = read("[" + std::string(number) + "]");
    ASSERT_TRUE(result.node) << number;
    EXPECT_TRUE(only_element(result).get<HugeNumber>()) << number;
  }
}

TEST(ReadDocument, TakesOrdinaryFractionsAndExponents) {
  for (const char* number : {"1.5", "1e3", "1E-3", "0.0000000001", "1e0000000000003", "1e-400"}) {
    const auto result = read("[" + std::string(number) + "]");
    ASSERT_TRUE(result.node) << number;
    EXPECT_TRUE(only_element(result).get<double>()) << number;
  }
  EXPECT_EQ(*only_element(read("[1e0000000000003]")).get<double>(), 1000.0);
}

TEST(ReadDocument, NumbersElementsByTheirPlaceInTheFile) {
  const auto result = read("[true, [1, 2], 3]");
  ASSERT_TRUE(result.node);
  const auto& array = *result.node->get<Array>();
  EXPECT_EQ(array[2].index, 2U);
  EXPECT_EQ(array[1].get<Array>()->at(1).index, 1U);
}

TEST(ReadDocument, FindsNothingInATextWithoutContentAndReportsNothing) {
  for (const char* text : {"", "  \n", "// x", "/* x */\n", "\xef\xbb\xbf"}) {
    const auto result = read(text);
    EXPECT_FALSE(result.node);
    EXPECT_TRUE(result.errors.empty());
  }
}

struct BadText {
  std::string text;
  std::string error;
};

void PrintTo(const BadText& bad, std::ostream* out) { *out << bad.error; }

class SyntaxErrors : public ::testing::TestWithParam<BadText> {};

TEST_P(SyntaxErrors, AreReportedInPlainWordsWithTheirPlace) {
  const auto result = read(GetParam().text);
  EXPECT_FALSE(result.node);
  ASSERT_EQ(result.errors.size(), 1U);
  EXPECT_EQ(format(result.errors[0]), "f:" + GetParam().error);
}

const BadText bad_texts[] = {
    {"{a: 1}", "1:2: SYNTAX_ERROR: expected a key in double quotes, not 'a'"},
    {"{'a': 1}", "1:2: SYNTAX_ERROR: expected a key in double quotes, not '''"},
    {"{\"a\": 1 \"b\": 2}", "1:9: SYNTAX_ERROR: expected ',' or '}', not '\"b\"'"},
    {"{\"a\" 1}", "1:6: SYNTAX_ERROR: expected ':', not '1'"},
    {"{\"a\": }", "1:7: SYNTAX_ERROR: expected a value, not '}'"},
    {"{\"a\": 1,, }", "1:9: SYNTAX_ERROR: expected a key in double quotes, not ','"},
    {"{,}", "1:2: SYNTAX_ERROR: expected a key in double quotes, not ','"},
    {"[,]", "1:2: SYNTAX_ERROR: expected a value or ']', not ','"},
    {"[1\n 2]", "2:2: SYNTAX_ERROR: expected ',' or ']', not '2'"},
    {"[1}", "1:3: SYNTAX_ERROR: expected ',' or ']', not '}'"},
    {"]", "1:1: SYNTAX_ERROR: expected a value, not ']'"},
    {"[yes]", "1:2: SYNTAX_ERROR: 'yes' is not a JSON value (text needs double quotes)"},
    {"[tru]", "1:2: SYNTAX_ERROR: 'tru' is not a JSON value"},
    {"[NaN]", "1:2: SYNTAX_ERROR: 'NaN' is not a JSON value (text needs double quotes)"},
    {"[012]", "1:2: SYNTAX_ERROR: '012' is not a JSON value (text needs double quotes)"},
    {"[0x1f]", "1:2: SYNTAX_ERROR: '0x1f' is not a JSON value (text needs double quotes)"},
    {"[+1]", "1:2: SYNTAX_ERROR: '+1' is not a JSON value (text needs double quotes)"},
    {"[1.]", "1:2: SYNTAX_ERROR: '1.' is not a JSON value"},
    {"[1e]", "1:2: SYNTAX_ERROR: '1e' is not a JSON value"},
    {"[-]", "1:2: SYNTAX_ERROR: '-' is not a JSON value"},
    {"1.", "1:1: SYNTAX_ERROR: '1.' is not a JSON value"},
    {"[1",
     "1:3: SYNTAX_ERROR: the document ends here, but the '[' at line 1, column 1 is not closed"},
    {"{\"a\":\n {",
     "2:3: SYNTAX_ERROR: the document ends here, but the '{' at line 2, column 2 is not closed"},
    {"[\"abc\n\"]", "1:2: SYNTAX_ERROR: this text is not closed by '\"' on its line"},
    {"\"abc", "1:1: SYNTAX_ERROR: this text is not closed by '\"' on its line"},
    {"[\"a\\", "1:2: SYNTAX_ERROR: this text is not closed by '\"' on its line"},
    {"[1] /* x", "1:5: SYNTAX_ERROR: this comment is not closed by '*/'"},
    {"[\"a\tb\"]", "1:4: SYNTAX_ERROR: a control character in a text must be escaped"},
    {"[\"\\q\"]", "1:4: SYNTAX_ERROR: no such escape sequence in JSON"},
    {"[\"\\ud800\"]", "1:9: SYNTAX_ERROR: the \\u escape before this is half of a surrogate pair"},
    {"[\"\\ud800\\u0041\"]",
     "1:11: SYNTAX_ERROR: the \\u escape before this is half of a surrogate pair"},
    {"[\"\\udc00\"]", "1:9: SYNTAX_ERROR: the \\u escape before this is half of a surrogate pair"},
    {"[\"a\\u0000\"]", "1:2: SYNTAX_ERROR: this text contains U+0000, which nothing in a spec can"},
    {"{\"a\\u0000\":1}",
     "1:2: SYNTAX_ERROR: this text contains U+0000, which nothing in a spec can"},
    {std::string("[\0]", 3), "1:2: SYNTAX_ERROR: expected a value or ']', not '\\x00'"},
    {"[1]]", "1:4: SYNTAX_ERROR: ']' stands behind the end of the document"},
    {"{}\n{}", "2:1: SYNTAX_ERROR: '{' stands behind the end of the document"},
    {"1\"a\"", "1:2: SYNTAX_ERROR: '\"a\"' stands behind the end of the document"},
    {"[1/2]", "1:3: SYNTAX_ERROR: expected ',' or ']', not '/'"},
    {"[\"\xff\"]", "1:3: SYNTAX_ERROR: the bytes from here on are not UTF-8"},
    {"// é\n// \xc3\n[]", "2:4: SYNTAX_ERROR: the bytes from here on are not UTF-8"},
    {"[\"\xed\xa0\x80\"]", "1:3: SYNTAX_ERROR: the bytes from here on are not UTF-8"},
    {"\xff\xfe[", "1:1: SYNTAX_ERROR: the bytes from here on are not UTF-8"},
};

INSTANTIATE_TEST_SUITE_P(ReadDocument, SyntaxErrors, ::testing::ValuesIn(bad_texts));

TEST(ReadDocument, ReportsEveryDuplicateKeyAndKeepsTheFirstValue) {
  const auto result = read("{\"a\": 1, \"b\": [{\"z~/\": 1, \"z~/\": 2}],\n \"a\": 3,\n \"a\": 4}");
  ASSERT_TRUE(result.node);
  EXPECT_EQ(*find(*result.node->get<Object>(), "a")->get<std::int64_t>(), 1);
  EXPECT_EQ(result.node->get<Object>()->size(), 2U);
  std::vector<std::string> errors;
  for (const auto& error : result.errors) errors.push_back(format(error));
  EXPECT_THAT(errors, ::testing::UnorderedElementsAre(
                          "f:1:27: DUPLICATE_KEY: 'z~/' is already given at f:1:17 (at /b/0/z~0~1)",
                          "f:2:2: DUPLICATE_KEY: 'a' is already given at f:1:2 (at /a)",
                          "f:3:2: DUPLICATE_KEY: 'a' is already given at f:1:2 (at /a)"));
}

TEST(ReadDocument, TakesKeysOnceThatAreWrittenTwoWays) {
  EXPECT_EQ(read(R"({"a": 1, "\u0061": 2})").errors.size(), 1U);
}

TEST(ReadDocument, TakesTheDeepestNestingAndRefusesOneMore) {
  const auto nested = [](std::size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  };
  EXPECT_TRUE(read(nested(max_document_depth)).node);
  const auto deeper = read(nested(max_document_depth + 1));
  ASSERT_EQ(deeper.errors.size(), 1U);
  EXPECT_EQ(deeper.errors[0].code, Code::syntax_error);
  EXPECT_EQ(deeper.errors[0].origin.column, max_document_depth + 1);
}

TEST(ReadDocument, RefusesTenThousandLevels) {
  EXPECT_FALSE(read(std::string(10'000, '[')).node);
  std::string objects;
  for (int i = 0; i < 10'000; ++i) objects += "{\"a\":";
  EXPECT_THAT(read(objects).errors.at(0).message, HasSubstr("nested deeper than 32 levels"));
}

TEST(ReadDocument, RefusesADocumentTooLarge) {
  const auto result = read("[" + std::string(max_document_size, ' ') + "]");
  EXPECT_FALSE(result.node);
  EXPECT_EQ(result.errors.at(0).code, Code::too_large);
}

TEST(ReadDocument, RefusesMoreValuesThanFitInBoundedMemory) {
  std::string text = "[";
  for (std::size_t i = 0; i < max_document_values; ++i) text += "1,";
  const auto result = read(text + "]");
  EXPECT_FALSE(result.node);
  ASSERT_EQ(result.errors.size(), 1U);
  EXPECT_EQ(result.errors[0].code, Code::too_large);
}

TEST(ReadDocument, IsNotSlowOnManyMembersOrAPileOfDuplicates) {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) text += "\"" + std::to_string(i % 100'000) + "\":1,";
  const auto start = std::chrono::steady_clock::now();
  const auto result = read(text + "}");
  EXPECT_EQ(result.errors.size(), max_diagnostics);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

}  // namespace plumbline::wire
