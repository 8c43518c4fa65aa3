// A kind by itself against the real kernel, and against the text of a spec: without plan or engine.

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <vector>

#include "plumbline/io/kernel_host.hpp"
#include "plumbline/state/state.hpp"

namespace plumbline::test {

template <class K>
struct ReadSpec {
  std::optional<K> value;
  std::vector<std::string> errors;  ///< `CODE at pointer`
  std::string messages;
};

inline std::vector<std::string> codes_of(const Diagnostics& diagnostics) {
  std::vector<std::string> codes;
  for (const Diagnostic& error : diagnostics.errors) {
    codes.push_back(std::string(format(error.code)) + " at " + error.pointer);
  }
  return codes;
}

/// `text` is the entry itself, as an element of `routes` or `rules` is.
template <class K>
ReadSpec<K> read_spec(const std::string& text) {
  Diagnostics diagnostics;
  TableNames tables;
  tables.add("100 uplink\n");
  wire::Reading reading{diagnostics, tables};
  ReadSpec<K> read;
  const auto document = wire::read_document(text, nullptr, diagnostics);
  if (document) read.value = K::from_spec(wire::Entry(*document, reading));
  read.errors = codes_of(diagnostics);
  for (const Diagnostic& error : diagnostics.errors) read.messages += format(error) + '\n';
  EXPECT_TRUE(read.value || !read.errors.empty()) << "nothing, and no error: " << text;
  return read;
}

/// The value of a spec without an error, carrying our mark.
template <class K>
K wanted(const std::string& text) {
  const auto read = read_spec<K>(text);
  EXPECT_TRUE(read.value && read.errors.empty()) << text << '\n' << read.messages;
  return with_mark(read.value.value_or(K{}), Mark{});
}

template <class K>
std::string spec_text(const K& value) {
  return boost::json::serialize(to_spec(value));
}

/// The kernel of the namespace that the calling thread is in.
class OnKernel {
 public:
  OnKernel() { refresh(); }

  /// Reads the names of the links again.
  void refresh() {
    const auto queries = Link::queries({});
    links_ = link_names(host_.exchange(queries).front());
  }
  [[nodiscard]] const LinkNames& links() const { return links_; }

  template <class K>
  [[nodiscard]] std::vector<K> observe(const Scope& scope = {}) {
    const auto queries = K::queries(scope);
    const auto replies = host_.exchange(queries);
    std::vector<K> values;
    for (std::size_t i = 0; i < queries.size(); ++i) {
      K::decode(queries[i], replies[i], links_, values);
    }
    return values;
  }
  template <class K>
  [[nodiscard]] std::vector<K> ours(const Scope& scope = {}) {
    auto values = observe<K>(scope);
    std::erase_if(values, [](const K& value) { return !is_marked(value, Mark{}); });
    return values;
  }
  /// What the kernel refused: error numbers and its words; empty when all was done.
  [[nodiscard]] std::string send(const std::vector<wire::Request>& requests) {
    std::string refused;
    for (const auto& reply : host_.exchange(requests)) {
      if (reply.error != 0) refused += std::to_string(reply.error) + ' ' + reply.message + '\n';
    }
    return refused;
  }
  /// As a plan would: in place, or taken away and made anew.
  template <class K>
  [[nodiscard]] std::string change(const K& have, const K& want) {
    switch (transition(have, want).change) {
      case Change::none:
        return {};
      case Change::update:
        return send(update(have, want, links_));
      case Change::replace:
        if (auto refused = send(remove(have, links_)); !refused.empty()) return refused;
        return send(create(want, links_));
    }
    return {};
  }

 private:
  io::KernelHost host_;
  LinkNames links_;
};

}  // namespace plumbline::test
