#include "text.hpp"

#include <boost/json/object.hpp>

#include "formats.hpp"
#include "guests.hpp"
#include "json_bytes.hpp"

namespace plumbline::report {

namespace {

std::string_view done_words(Operation operation) {
  switch (operation) {
    case Operation::apply:
      return "Applied. The host matches the spec.";
    case Operation::destroy:
      return "Removed. What was before is back.";
    case Operation::adopt:
      return "Adopted. Apply a spec that wants it: what no spec wants is removed.";
  }
  return "";
}

class Text final : public Renderer {
 public:
  using Renderer::Renderer;

  [[nodiscard]] Printed plan(const Plan& plan) const override {
    return {to_text(plan, style().colour), {}};
  }
  [[nodiscard]] Printed proposal(Operation operation, const Plan& plan) const override {
    if (operation == Operation::adopt && plan.empty()) {
      return {"Nothing to do: all of it is ours.\n", {}};
    }
    return this->plan(plan);
  }
  [[nodiscard]] Printed outcome(Operation operation, const engine::Prepared& prepared,
                                const engine::Outcome& outcome) const override {
    Printed printed = warnings(outcome.warnings);
    (is_good(outcome) ? printed.out : printed.err) +=
        to_text(prepared.plan, outcome, done_words(operation));
    return printed;
  }
  [[nodiscard]] Printed refusal(const std::vector<Diagnostic>& reasons) const override {
    return {{}, lines(reasons) + "Refused. Nothing was changed.\n"};
  }
  [[nodiscard]] Printed errors(const std::vector<Diagnostic>& errors) const override {
    return {{}, lines(errors)};
  }
  [[nodiscard]] Printed error(std::string_view code, std::string_view message) const override {
    return {{}, std::string(code) + ": " + printable(message) + "\n"};
  }
  [[nodiscard]] Printed wrong_usage(std::string_view, std::string_view) const override {
    return {};
  }
  [[nodiscard]] Printed checked(const Diagnostics& found) const override {
    return {{}, warnings(found.warnings).err + lines(found.errors)};
  }
  [[nodiscard]] Printed shown(const Shown& shown) const override {
    return {pretty(shown.spec), left_out(shown)};
  }
  [[nodiscard]] Printed guests(const std::vector<spec::Assignment>& guests) const override {
    return {to_text(guests), {}};
  }
  [[nodiscard]] Printed pinned(const std::vector<spec::Assignment>& guests) const override {
    return {pretty(spec_of(guests)), {}};
  }
  [[nodiscard]] Printed findings(const std::vector<doctor::Finding>& findings) const override {
    return {to_text(findings, style().colour), {}};
  }

 private:
  static std::string lines(const std::vector<Diagnostic>& diagnostics) {
    std::string text;
    for (const Diagnostic& diagnostic : diagnostics) text += format(diagnostic) + "\n";
    return text;
  }
};

}  // namespace

std::unique_ptr<Renderer> make_text(Style style) { return std::make_unique<Text>(style); }

}  // namespace plumbline::report
