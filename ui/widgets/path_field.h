#pragma once

#include <QWidget>

class QLineEdit;

namespace tempera {

/// A path that is typed, dropped or chosen.
class PathField final : public QWidget {
    Q_OBJECT

public:
    enum class Kind { file, folder };
    /// `filter` as QFileDialog's, for files.
    PathField(Kind kind, const QString& filter, QWidget* parent = nullptr);
    QLineEdit* line() const { return line_; }

protected:
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    void browse();

    Kind kind_;
    QString filter_;
    QLineEdit* line_;
};

} // namespace tempera
