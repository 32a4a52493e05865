<?php
// SPDX-License-Identifier: GPL-3.0-or-later

use dokuwiki\Extension\SyntaxPlugin;

/**
 * Shows a sentence where a page asks for the news of another server ({{rss>...}}).
 *
 * Whoever may edit a page could otherwise have this host ask any address of the inner network; and DokuWiki's reader and
 * Debian's library of the same name do not fit, so that the page broke off there.
 */
class syntax_plugin_nofeeds extends SyntaxPlugin
{
    public function getType()
    {
        return 'substition';
    }

    public function getSort()
    {
        // Just before DokuWiki's own mode.
        return 309;
    }

    public function connectTo($mode)
    {
        $this->Lexer->addSpecialPattern('\{\{rss>[^\}]+\}\}', $mode, 'plugin_nofeeds');
    }

    public function handle($match, $state, $pos, Doku_Handler $handler)
    {
        return [];
    }

    public function render($format, Doku_Renderer $renderer, $data)
    {
        $renderer->cdata('(This wiki shows no news of other servers: link to them instead.)');
        return true;
    }
}
