// The document reader takes any bytes: it gives a document or says why not, and the places it
// remembers are where those values are.

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/wire/document.hpp"
#include "plumbline/wire/entry.hpp"

namespace {

using namespace plumbline;

void require(bool truth) {
  if (!truth) std::abort();
}

class Places {
 public:
  explicit Places(std::string_view text) : text_(text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') lines_.push_back(i + 1);
    }
  }

  void check(const Origin& origin, std::string_view first_bytes) const {
    require(origin.line >= 1 && origin.line <= lines_.size() && origin.column >= 1);
    const std::size_t at = lines_[origin.line - 1] + origin.column - 1;
    require(at < text_.size() && first_bytes.find(text_[at]) != std::string_view::npos);
  }

  void check(const wire::Node& node) const {
    constexpr std::string_view number = "-0123456789";
    constexpr std::array<std::string_view, 9> first_bytes{"n",    "tf", number, number, number,
                                                          number, "\"", "[",    "{"};
    check(node.origin, first_bytes.at(node.value.index()));
    if (const auto* const array = node.get<wire::Array>()) {
      for (std::size_t i = 0; i < array->size(); ++i) {
        require((*array)[i].index == i);
        check((*array)[i]);
      }
    }
    if (const auto* const object = node.get<wire::Object>()) {
      for (const auto& member : *object) {
        check(member.key_origin, "\"");
        check(member.value);
      }
    }
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> lines_{0};
};

void ask(const wire::Entry& entry) {
  static_cast<void>(entry.boolean());
  static_cast<void>(entry.string());
  static_cast<void>(entry.integer(0, 255));
  if (entry.node().get<wire::Object>() != nullptr) {
    entry.only({"version", "links", "routes"});
    entry.for_each_member(ask);
  } else if (entry.node().get<wire::Array>() != nullptr) {
    entry.for_each_element(ask);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  Diagnostics diagnostics;
  const auto document =
      wire::read_document(text, std::make_shared<const std::string>("f"), diagnostics);
  for (const auto& error : diagnostics.errors) {
    require(error.origin.line >= 1 && error.origin.column >= 1);
    require(is_utf8(format(error)));
  }
  if (!document) return 0;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  Places(text).check(*document);
  const TableNames tables;
  wire::Reading reading{diagnostics, tables};
  ask(wire::Entry(*document, reading));
  return 0;
}
