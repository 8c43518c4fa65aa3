// What people and programs get to read of plans, outcomes, guests and findings: bytes made of
// values, by one Renderer per format.
//
// It writes nothing, logs nothing and asks nobody: who has the bytes puts them where they belong.
// docs/cli.md is the contract.

#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/doctor/doctor.hpp"
#include "plumbline/engine/pass.hpp"
#include "plumbline/spec/expressible.hpp"

namespace plumbline::report {

enum class Format : std::uint8_t { text, json };

/// `text`, `json`
[[nodiscard]] std::optional<Format> parse_format(std::string_view name);
/// In the order of the enumerators.
[[nodiscard]] std::vector<std::string_view> format_names();

/// The result, for standard output, and what is said beside it, for standard error.
struct Printed {
  std::string out;
  std::string err;
};

struct Style {
  bool colour = false;   ///< ANSI sequences in text, for a terminal
  bool warnings = true;  ///< else they are left out of `err`
};

/// What is done to the host, for the words of it.
enum class Operation : std::uint8_t { apply, destroy, adopt };

/// An observed state as a spec, with what is not in it: objects, and places that a spec refuses.
struct Shown {
  const boost::json::object& spec;
  const std::vector<spec::LeftOut>& left_out;
  const std::vector<Diagnostic>& refused;
};

class Renderer {
 public:
  explicit Renderer(Style style) : style_(style) {}
  virtual ~Renderer() = default;
  Renderer(const Renderer&) = delete;
  Renderer& operator=(const Renderer&) = delete;

  [[nodiscard]] virtual Printed plan(const Plan& plan) const = 0;
  /// The plan of an operation that is about to begin, or to be asked about.
  [[nodiscard]] virtual Printed proposal(Operation operation, const Plan& plan) const = 0;
  /// What became of it.
  [[nodiscard]] virtual Printed outcome(Operation operation, const engine::Prepared& prepared,
                                        const engine::Outcome& outcome) const = 0;
  /// Nothing was changed, for these reasons.
  [[nodiscard]] virtual Printed refusal(const std::vector<Diagnostic>& reasons) const = 0;
  /// Of the spec or the host: there is no result.
  [[nodiscard]] virtual Printed errors(const std::vector<Diagnostic>& errors) const = 0;
  /// One that is of no input, with a code of its own.
  [[nodiscard]] virtual Printed error(std::string_view code, std::string_view message) const = 0;
  /// A command line that makes no sense. In words only what comes beside its parser's.
  [[nodiscard]] virtual Printed wrong_usage(std::string_view code,
                                            std::string_view message) const = 0;
  /// What is wrong with a spec that was read for the sake of this.
  [[nodiscard]] virtual Printed checked(const Diagnostics& found) const = 0;
  [[nodiscard]] virtual Printed shown(const Shown& shown) const = 0;
  [[nodiscard]] virtual Printed guests(const std::vector<spec::Assignment>& guests) const = 0;
  /// A spec that gives explicitly what these guests are assigned.
  [[nodiscard]] virtual Printed pinned(const std::vector<spec::Assignment>& guests) const = 0;
  [[nodiscard]] virtual Printed findings(const std::vector<doctor::Finding>& findings) const = 0;

  /// Beside any result: in every format for people, and on standard error.
  [[nodiscard]] Printed warnings(const std::vector<Diagnostic>& warnings) const;

 protected:
  [[nodiscard]] const Style& style() const { return style_; }
  [[nodiscard]] std::string left_out(const Shown& shown) const;

 private:
  Style style_;
};

/// The one place that knows which format is made by what.
[[nodiscard]] std::unique_ptr<Renderer> renderer(Format format, Style style);

/// What is asked before it begins, without the way to answer.
[[nodiscard]] std::string_view question(Operation operation);

}  // namespace plumbline::report
