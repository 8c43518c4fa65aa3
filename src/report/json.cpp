#include "json.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "formats.hpp"
#include "guests.hpp"
#include "json_bytes.hpp"
#include "plumbline/spec/assignments.hpp"

namespace plumbline::report {

namespace json = boost::json;

namespace {

/// Every key is always there; what has no place is in no file, at line 0.
json::object fault(std::string_view code, std::string_view message, const Origin& origin,
                   const std::string& pointer) {
  return {{"code", code},
          {"message", message},
          {"file", origin.known() ? *origin.file : std::string()},
          {"line", origin.line},
          {"column", origin.column},
          {"pointer", pointer}};
}

/// One document for each result, errors and refusals included; what is said beside it is in words.
class Json final : public Renderer {
 public:
  using Renderer::Renderer;

  [[nodiscard]] Printed plan(const Plan& plan) const override { return document(to_json(plan)); }
  /// There is one document, and it is of the end.
  [[nodiscard]] Printed proposal(Operation, const Plan&) const override { return {}; }
  [[nodiscard]] Printed outcome(Operation, const engine::Prepared& prepared,
                                const engine::Outcome& outcome) const override {
    return {document(to_json(prepared, outcome)).out, warnings(outcome.warnings).err};
  }
  [[nodiscard]] Printed refusal(const std::vector<Diagnostic>& reasons) const override {
    return document(
        {{"result", "refused"}, {"steps", json::array()}, {"errors", to_json(reasons)}});
  }
  [[nodiscard]] Printed errors(const std::vector<Diagnostic>& errors) const override {
    return document({{"errors", to_json(errors)}});
  }
  [[nodiscard]] Printed error(std::string_view code, std::string_view message) const override {
    return document({{"errors", json::array{fault(code, message, {}, {})}}});
  }
  [[nodiscard]] Printed wrong_usage(std::string_view code,
                                    std::string_view message) const override {
    return error(code, message);
  }
  [[nodiscard]] Printed checked(const Diagnostics& found) const override {
    return document({{"errors", to_json(found.errors)}, {"warnings", to_json(found.warnings)}});
  }
  [[nodiscard]] Printed shown(const Shown& shown) const override {
    return {compact(shown.spec), left_out(shown)};
  }
  [[nodiscard]] Printed guests(const std::vector<spec::Assignment>& guests) const override {
    return {compact(to_json(guests)), {}};
  }
  [[nodiscard]] Printed pinned(const std::vector<spec::Assignment>& guests) const override {
    return document(spec_of(guests));
  }
  [[nodiscard]] Printed findings(const std::vector<doctor::Finding>& findings) const override {
    return document(to_json(findings));
  }

 private:
  static Printed document(const json::object& object) { return {compact(object), {}}; }
};

}  // namespace

json::array to_json(const std::vector<spec::Assignment>& guests) {
  json::array rows;
  for (const spec::Assignment& guest : guests) {
    const Prefix subnet = guest.ip.network();
    rows.push_back(json::object{{"network", guest.network.view()},
                                {"vm", guest.vm},
                                {"interface", guest.interface},
                                {"tap", guest.tap.view()},
                                {"ip", format(guest.ip.address)},
                                {"gateway", format(spec::gateway_of(subnet))},
                                {"netmask", format(spec::netmask_of(subnet))},
                                {"mac", format(guest.mac)},
                                {"bootArgs", spec::boot_args(guest)}});
  }
  return rows;
}

json::object to_json(const std::vector<doctor::Finding>& findings) {
  json::array array;
  for (const doctor::Finding& finding : findings) {
    array.push_back({{"level", doctor::format(finding.level)},
                     {"code", finding.code},
                     {"message", finding.message},
                     {"advice", finding.advice}});
  }
  const auto count = [&](doctor::Level level) {
    return std::ranges::count(findings, level, &doctor::Finding::level);
  };
  return {{"problems", count(doctor::Level::problem)},
          {"warnings", count(doctor::Level::warning)},
          {"findings", std::move(array)}};
}

json::array to_json(const std::vector<Diagnostic>& diagnostics) {
  json::array array;
  for (const Diagnostic& diagnostic : diagnostics) {
    array.push_back(
        fault(format(diagnostic.code), diagnostic.message, diagnostic.origin, diagnostic.pointer));
  }
  return array;
}

std::unique_ptr<Renderer> make_json(Style style) { return std::make_unique<Json>(style); }

}  // namespace plumbline::report
